"""The collector: events in over HTTP, on disk before they are answered."""
