"""What a dataset allows to train, worked out before anything is trained."""
