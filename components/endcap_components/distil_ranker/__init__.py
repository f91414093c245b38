"""A small student in the place of the ranker."""
