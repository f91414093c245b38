"""The window objective: what is bought in the days after a snapshot."""
