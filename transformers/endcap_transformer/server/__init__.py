"""The process: HTTP, gRPC and KServe's protocols."""
