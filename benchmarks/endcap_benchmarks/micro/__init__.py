"""Costs of single parts, each a program of its own."""
