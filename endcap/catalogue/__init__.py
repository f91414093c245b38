"""The shop's items in memory, by item index."""
