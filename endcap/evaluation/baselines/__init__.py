"""Simple rules that a model has to beat."""
