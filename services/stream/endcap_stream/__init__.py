"""The stream: from events to what the next list knows of them, as they come."""
