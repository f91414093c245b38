"""A whole deployment on one machine, under one supervisor."""
