"""Recommendation algorithms under one interface: fit on interactions, score items for users."""
