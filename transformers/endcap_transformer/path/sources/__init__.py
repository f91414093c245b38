"""Candidate sources as the request path asks them."""
