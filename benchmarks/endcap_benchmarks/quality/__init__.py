"""Quality of recommendations: models, tasks and reports of one harness."""
