"""The pipeline's steps: one folder a step, its logic and the component that wraps it."""
