"""Candidates: what each source finds, and their union."""
