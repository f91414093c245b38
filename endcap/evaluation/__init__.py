"""Whether lists are good: metrics, baselines, intervals, the gate."""
