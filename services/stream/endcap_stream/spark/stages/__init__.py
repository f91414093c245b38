"""What a batch passes through: one file a stage, each run by a task a bucket, and what they hand to each other."""
