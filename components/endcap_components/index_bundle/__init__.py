"""The bundle's embeddings as a Milvus collection."""
