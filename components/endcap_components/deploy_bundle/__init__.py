"""The bundle becomes the one that is served, at once or through a rollout."""
