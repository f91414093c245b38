"""A history as one vector, in the ways a query tower can choose from."""
