"""The two-tower retrieval model, with either objective."""
