"""What was shown, joined to what followed."""
