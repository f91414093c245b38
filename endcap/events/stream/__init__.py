"""What the shop hears: pure functions from events to features, counts and outcomes, the same for a stream and for a whole log."""
