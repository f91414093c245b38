"""A dataset judged before anything is trained on it."""
