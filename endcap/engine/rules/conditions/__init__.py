"""Conditions of rules, worked out for many items at once."""
