"""Models that only the harness knows."""
