"""Clients of what a request depends on: model server, Milvus, feature store."""
