"""Requests of several callers as one batch, inside the graph.

A GPU takes a thousand rows in hardly more time than ten. TensorFlow Serving's own batching cannot join these requests: it wants inputs
whose first dimensions agree, and `rank` has queries and candidates. Here each signature joins what it computes by row: `encode_query` its
queries, `rank` its candidates, each with its query's values beside it. The op is TensorFlow's own, so any server that loads the bundle
batches.
"""

from collections.abc import Callable, Mapping

import tensorflow as tf

from endcap_components.export_bundle.batching import Batching

PER_QUERY = ("query_embedding", "user_numeric", "user_categories", "context")
"""Inputs of `rank` that have a row a query."""
QUERY_ROW = "query_row"
REQUEST_ROWS_MAX = 65_536
"""Rows of one request; one that is larger than a batch is computed in several."""
ALLOWED_SIZES = 6
"""Sizes that batches are padded to, each half the next one: few shapes for the GPU, and at most half of a batch is padding."""

Inputs = Mapping[str, tf.Tensor]
Signature = Callable[..., dict[str, tf.Tensor]]


def joined_encode(signature: Signature, batching: Batching) -> Signature:
    """`encode_query`, its queries joined with those of other requests."""
    return _joined(signature, batching, batching.queries_max)


def joined_rank(signature: Signature, batching: Batching) -> Signature:
    """`rank`, its candidates joined with those of other requests."""

    def with_own_query(**by_candidate: tf.Tensor) -> dict[str, tf.Tensor]:
        if QUERY_ROW not in by_candidate:
            return signature(**by_candidate)
        return signature(**{**by_candidate, QUERY_ROW: tf.range(tf.shape(by_candidate[QUERY_ROW])[0])})

    joined = _joined(with_own_query, batching, batching.candidates_max)

    def rank(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return joined(**{name: _row_a_candidate(name, inputs) for name in inputs})

    return rank


def _joined(signature: Signature, batching: Batching, rows_max: int) -> Signature:
    def joined(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        names = sorted(inputs)
        outputs: list[str] = []

        @tf.nondifferentiable_batch_function(
            num_batch_threads=batching.threads,
            max_batch_size=max(rows_max, REQUEST_ROWS_MAX),
            batch_timeout_micros=int(batching.wait_ms * 1000),
            allowed_batch_sizes=allowed_sizes(rows_max),
            max_enqueued_batches=64,
            enable_large_batch_splitting=True,
        )
        def computed(*rows: tf.Tensor) -> list[tf.Tensor]:
            values = signature(**dict(zip(names, rows, strict=True)))
            outputs[:] = sorted(values)
            return [values[name] for name in outputs]

        made = computed(*(inputs[name] for name in names))
        return dict(zip(outputs, made, strict=True))

    return joined


def allowed_sizes(rows_max: int) -> list[int]:
    """Batch sizes, rising, the last one `rows_max`."""
    return sorted({max(1, rows_max >> halvings) for halvings in range(ALLOWED_SIZES)})


def _row_a_candidate(name: str, inputs: Inputs) -> tf.Tensor:
    if name in PER_QUERY and QUERY_ROW in inputs:
        return tf.gather(inputs[name], inputs[QUERY_ROW])
    return inputs[name]
