"""Schemas of the topics' values: their released versions, what may change, and the registry that has them."""
