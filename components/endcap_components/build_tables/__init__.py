"""The tables that candidate sources read."""
