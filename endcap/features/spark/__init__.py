"""The same features computed by Spark."""
