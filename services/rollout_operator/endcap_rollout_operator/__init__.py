"""The operator that carries out rollouts."""
