"""A real Kafka broker on this machine, for benchmarks and tests, and the jars that Java programs beside it need."""
