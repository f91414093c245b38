"""What changes while requests are served: bundle, items, rules."""
