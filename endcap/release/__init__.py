"""From a trained model to what is served: bundle, index, registry, rollout."""
