"""TensorFlow Serving's messages without TensorFlow."""
