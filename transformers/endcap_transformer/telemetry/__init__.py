"""Metrics and traces of the transformer."""
