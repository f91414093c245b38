"""Models and tables as one sealed bundle."""
