"""What events cost and how soon the next list knows of them: collector, stream, and all parts together."""
