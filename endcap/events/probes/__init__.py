"""Probes: made, recognised, and noted at each station of the way of events."""
