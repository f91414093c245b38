"""The spool: what the durable logs hold goes to Kafka, in order, and is removed when Kafka has it."""
