"""What the ranker reads of a pair of user and item, and the value of showing it."""
