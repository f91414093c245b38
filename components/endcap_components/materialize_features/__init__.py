"""Published features into the online store."""
