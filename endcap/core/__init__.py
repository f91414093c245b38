"""What every other package may stand on: files that appear whole, polling, and the constants that all share."""
