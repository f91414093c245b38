"""How a data set is cut into what is learned from and what is judged."""
