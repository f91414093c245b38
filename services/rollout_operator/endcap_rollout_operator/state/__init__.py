"""What comes next in a rollout: pure decisions, phase by phase."""
