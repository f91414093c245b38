"""Baselines of session-based recommendation; a user's interactions are one visit."""
