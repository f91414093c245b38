"""The load processes: events that are due, and visits that look whether an event changed their list."""
