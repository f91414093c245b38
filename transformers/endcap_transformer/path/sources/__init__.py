"""Candidate sources as the request path calls them."""
