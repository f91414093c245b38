"""Whether lists are good: metrics, intervals, the gate."""
