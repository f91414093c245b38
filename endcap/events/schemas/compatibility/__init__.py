"""Whether a schema reads all that was written by an earlier one, judged without a registry."""
