"""Text: items whose titles read like those of what the person bought, by word2vec trained on the titles, with `gensim`.

Words by Mikolov et al. (NIPS 2013); a title is the mean of its words by inverse frequency, without the direction that all titles share
(Arora, Liang and Ma, ICLR 2017).
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy import sparse

from endcap.algorithms.algorithm import TrainingData
from endcap.algorithms.vector_scores import MeanOfHistory, VectorScores, unit_length
from endcap.algorithms.weights import default_decay_days, inverse_frequency
from endcap.core.errors import InvalidInput

_WORD = re.compile(r"\w+")


class Text(BaseModel):
    """Word vectors learned from the catalogue's own titles; needs no purchases of an item, and no model from elsewhere."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dimensions: int = Field(default=64, ge=1, description="Numbers in each vector.")
    window: int = Field(default=5, ge=1, description="Words to either side that a word is learned from.")
    epochs: int = Field(default=10, ge=1, description="Passes over all titles.")
    titles_min: int = Field(default=2, ge=1, description="Words of fewer titles are left out.")
    decay_days: float | None = Field(
        default=None, gt=0, description="Age after which a purchase counts 1/e; steps where times are unknown."
    )

    def fit(self, data: TrainingData, seed: int) -> VectorScores:
        """Train on the titles; start values follow from `seed`, so one thread does it.

        Raises:
            InvalidInput: the data has no titles, or no word is in `titles_min` of them.
        """
        words = _words_of(data)
        from gensim.models import Word2Vec

        model = Word2Vec(
            vector_size=self.dimensions,
            window=self.window,
            min_count=self.titles_min,
            sg=1,
            seed=seed % 2**32,
            workers=1,
            epochs=self.epochs,
        )
        model.build_vocab(words)
        if not len(model.wv):
            raise InvalidInput("no word is in enough of them", field="title", fix="lower titles_min, or use another algorithm")
        model.train(words, total_examples=len(words), epochs=self.epochs)
        vectors = _title_vectors(words, model.wv.key_to_index, np.asarray(model.wv.vectors, dtype=np.float32))
        known = np.asarray(np.any(vectors != 0, axis=1))
        return VectorScores(vectors, known, MeanOfHistory(vectors, self.decay_days or default_decay_days(data.interactions)))


def _words_of(data: TrainingData) -> list[list[str]]:
    """By item index, the words of its title; row 0 has none."""
    titles = [] if data.items is None else list(data.items.title)
    words = [_WORD.findall(title.casefold()) for title in titles]
    if not any(words):
        raise InvalidInput("no item has one", field="title", fix="give the items titles, or use another algorithm")
    return words


def _title_vectors(titles: Sequence[Sequence[str]], place: dict[str, int], words: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32 [n + 1, d], unit length, zeros for titles without a known word."""
    known = [sorted({place[word] for word in title if word in place}) for title in titles]
    starts = np.cumsum([0, *map(len, known)])
    columns = np.array([word for title in known for word in title], dtype=np.int64)
    has = sparse.csr_matrix((np.ones(len(columns), np.float32), columns, starts), shape=(len(titles), len(words)))
    vectors = np.asarray(has.multiply(inverse_frequency(has)).tocsr() @ words)
    vectors = unit_length(vectors)
    some = np.diff(starts) > 0
    shared = np.linalg.svd(vectors[some], full_matrices=False)[2][:1] if some.sum() > 1 else np.zeros((1, words.shape[1]))
    return unit_length(vectors - vectors @ shared.T @ shared)
