"""Events that were not taken: kept with their reason, mended, sent again."""
