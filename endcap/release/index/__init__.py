"""Embeddings in Milvus: collections, aliases, search."""
