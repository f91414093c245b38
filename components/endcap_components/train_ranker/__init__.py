"""The ranking model: one calibrated probability an objective."""
