"""The teacher: a trained ranker of any number of members, asked through the signature that it would be served with."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from endcap.contracts.signatures import RANK
from endcap.core.errors import DataRejected
from endcap.features.columns import OBJECTIVES
from endcap_components.train_ranker.examples import RankingExamples

QUERIES_A_CALL = 32
PROBABILITY_MIN = 1e-6
"""float32 cannot tell probabilities much nearer to 0 or 1 apart."""


class Teacher:
    """Soft targets: what a trained ranker thinks of every candidate of the examples."""

    def __init__(self, ranker_dir: Path) -> None:
        """
        Args:
            ranker_dir: a ranker's artifact.

        Raises:
            DataRejected: it is none, or its SavedModel has no table of item embeddings.
        """
        folder = ranker_dir / "saved_model"
        fix = "run the step train_ranker again"
        try:
            self._model = tf.saved_model.load(str(folder))
        except OSError as error:
            raise DataRejected("not a SavedModel", field=str(folder), fix=fix) from error
        if RANK not in self._model.signatures or not hasattr(self._model, "item_embeddings"):
            raise DataRejected("not a trained ranker", field=str(folder), fix=fix)
        self._rank = self._model.signatures[RANK]
        self.objectives = tuple(name for name in OBJECTIVES if name in self._rank.structured_outputs)
        self._inputs = set(self._rank.structured_input_signature[1])

    def logits(self, examples: RankingExamples) -> NDArray[np.float32]:
        """Calibrated logits of all candidates, float32 [m, objectives].

        The items' embeddings are those of each window, not of the cut that the teacher is served with.
        """
        table = self._model.item_embeddings
        served, rows = table.numpy(), table.shape[0]
        made = np.empty((len(examples.item_row), len(self.objectives)), dtype=np.float32)
        try:
            for window in range(len(examples.item_embedding) // rows):
                table.assign(examples.item_embedding[window * rows : (window + 1) * rows])
                for queries in self._queries_of(examples, window, rows):
                    made[examples.rows_of(queries)] = self._predicted(examples, queries, rows)
        finally:
            table.assign(served)
        return made

    def _queries_of(self, examples: RankingExamples, window: int, rows: int) -> Iterator[NDArray[np.int64]]:
        """Blocks of the window's queries that have a candidate."""
        some = np.flatnonzero(np.diff(examples.start))
        mine = some[examples.item_row[examples.start[some]] // rows == window]
        for start in range(0, len(mine), QUERIES_A_CALL):
            yield mine[start : start + QUERIES_A_CALL]

    def _predicted(self, examples: RankingExamples, queries: NDArray[np.int64], rows: int) -> NDArray[np.float32]:
        batch = examples.batch(queries)
        batch["item_index"] = (examples.item_row[examples.rows_of(queries)] % rows).astype(np.int32)
        outputs = self._rank(**{name: tf.constant(values) for name, values in batch.items() if name in self._inputs})
        probability = np.stack([outputs[name].numpy() for name in self.objectives], axis=1)
        kept = np.clip(probability.astype(np.float64), PROBABILITY_MIN, 1 - PROBABILITY_MIN)
        return np.log(kept / (1 - kept)).astype(np.float32)
