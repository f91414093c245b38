"""What customers did and saw, from the log to what is learned of it."""
