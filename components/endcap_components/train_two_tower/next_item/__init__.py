"""The next-item objective: the item that follows in a sequence."""
