"""Rollouts as people and the pipeline start, steer and read them."""
