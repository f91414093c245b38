"""Where lists are shown: sources, quotas and value of each surface."""
