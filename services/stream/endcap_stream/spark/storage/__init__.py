"""What driver and executors keep in the folder that they share: states, records of batches, rows on their way."""
