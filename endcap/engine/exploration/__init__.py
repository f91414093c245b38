"""Places for items that are still unproven, and what is learned from them."""
