"""Whether a cluster has what a release needs."""
