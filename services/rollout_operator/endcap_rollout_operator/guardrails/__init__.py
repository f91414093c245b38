"""What stops a rollout: measurements of a candidate's traffic, held against limits. docs/guardrails.md describes each."""
