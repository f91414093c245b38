"""Features of users, items and pairs, as of a moment."""
