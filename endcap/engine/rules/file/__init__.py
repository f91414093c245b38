"""The rule file: its contract, and messages for its author."""
