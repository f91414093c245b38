"""The demo: everything once, on one machine, with real data."""
