"""The trained models against baselines, on the weeks after the cut."""
