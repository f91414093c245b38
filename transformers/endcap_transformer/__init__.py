"""The KServe transformer."""
