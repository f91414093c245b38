"""The stream's way to read Kafka: topics followed, their partitions side by side by time."""
