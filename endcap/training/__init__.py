"""What models learn from, and what they have in common."""
