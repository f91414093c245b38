"""The model bundle: sealed, stored, promoted."""
