"""The way of a request: one file a stage, and the conductor."""
