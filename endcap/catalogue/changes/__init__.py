"""Changes of the catalogue between two bundles: taken in, kept in a log, and turned into what servers and the next training read."""
