"""The parts that a request asks: model server, Milvus, feature store."""
