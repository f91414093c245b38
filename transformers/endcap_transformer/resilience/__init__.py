"""What keeps a request answered: deadlines, breakers, caches, admission."""
