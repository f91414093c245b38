"""Kubeflow pipelines: compiled for a cluster, run locally from the same definition."""
