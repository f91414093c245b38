"""Source files as they stand: packed or not, in any encoding, row by row."""
