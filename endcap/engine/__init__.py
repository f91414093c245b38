"""Making a list: retrieve, rank, rules, slate, as plain functions."""
