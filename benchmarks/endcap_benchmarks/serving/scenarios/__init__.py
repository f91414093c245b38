"""One stretch of load each, with what it is to show."""
