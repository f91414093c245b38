"""The stream on Spark: the same functions, with keys spread over executors."""
