"""Feature tables from a dataset."""
