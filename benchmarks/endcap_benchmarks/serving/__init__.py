"""The predict endpoint under load, by the clock."""
