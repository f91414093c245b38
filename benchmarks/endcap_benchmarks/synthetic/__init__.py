"""Made-up shops, bundles and people of any size."""
