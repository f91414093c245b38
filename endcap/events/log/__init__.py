"""The event log: written without loss beside requests, read whole."""
