"""A mapping to start from, guessed from a folder of files."""
