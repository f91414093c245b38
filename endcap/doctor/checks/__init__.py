"""One check a file: what the values need, and how to look whether it is there."""
