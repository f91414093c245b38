import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.engine.slate.assembly import assemble
from endcap.engine.slate.diversity import Diversity, relevance
from endcap.engine.slate.placements import Cap, Placements
from endcap.engine.slate.window import Window

ANCHOR_MIN = 100


def naive_values(score: np.ndarray, vectors: np.ndarray, strength: float, listed: list[int], window: np.ndarray) -> np.ndarray:
    """The definition, one pair at a time."""
    logs = np.log(score[window].astype(np.float64))
    scaled = (logs - logs.min()) / (logs.max() - logs.min())
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    likeness = [max([0.0, *(float(unit[row] @ unit[other]) for other in listed)]) for row in window]
    return (1 - strength) * scaled - strength * np.array(likeness)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.1, 0.5, 0.9]), st.integers(2, 12))
def test_every_place_goes_to_what_the_definition_says(seed: int, strength: float, k: int) -> None:
    random = np.random.default_rng(seed)
    score = np.exp(random.normal(-4, 2, 140)).astype(np.float32)
    vectors = random.normal(size=(140, 5)).astype(np.float32)
    slate = assemble(score, k, diversity=Diversity(strength, vectors))
    window = np.argsort(-score, kind="stable")[: max(4 * k, ANCHOR_MIN)]
    listed: list[int] = []
    for place, row in enumerate(slate.rows.tolist()):
        values = naive_values(score, vectors, strength, listed, window)
        values[np.isin(window, listed)] = -np.inf
        chosen = int(np.flatnonzero(window == row)[0])
        assert values[chosen] >= values.max() - 1e-5
        assert slate.score_after[place] == pytest.approx(values[chosen], abs=1e-5)
        listed.append(row)


@given(st.integers(0, 2**32 - 1), st.integers(0, 200))
def test_strength_zero_is_the_order_of_the_scores(seed: int, candidates: int) -> None:
    random = np.random.default_rng(seed)
    score, vectors = random.random(candidates).astype(np.float32), random.normal(size=(candidates, 3)).astype(np.float32)
    assert assemble(score, 20, diversity=Diversity(0.0, vectors)).rows.tolist() == assemble(score, 20).rows.tolist()


def test_twins_of_what_is_listed_already_come_last() -> None:
    vectors = np.array([[1, 0], [2, 0], [3, 0], [0, 1]], np.float32)
    slate = assemble(np.array([0.5, 0.4, 0.3, 0.2], np.float32), 4, diversity=Diversity(0.6, vectors))
    assert slate.rows.tolist() == [0, 3, 1, 2]
    assert slate.penalty.tolist() == pytest.approx([0, 0, 0.6, 0.6])


def test_opposites_are_no_more_different_than_strangers() -> None:
    vectors = np.array([[1, 0], [-1, 0], [0, 1]], np.float32)
    assert assemble(np.array([0.5, 0.3, 0.4], np.float32), 3, diversity=Diversity(0.9, vectors)).rows.tolist() == [0, 2, 1]


def test_embeddings_are_gathered_once_and_for_the_window_only() -> None:
    vectors = np.random.default_rng(0).normal(size=(1000, 8)).astype(np.float32)
    asked: list[np.ndarray] = []

    def gather(rows: np.ndarray) -> np.ndarray:
        asked.append(rows)
        return vectors[rows]

    score = np.random.default_rng(1).random(1000).astype(np.float32)
    gathered = assemble(score, 10, diversity=Diversity(0.5, gather))
    assert gathered.rows.tolist() == assemble(score, 10, diversity=Diversity(0.5, vectors)).rows.tolist()
    assert [len(rows) for rows in asked] == [ANCHOR_MIN]


def test_a_wider_window_for_the_caps_does_not_move_the_scale() -> None:
    score = np.exp(-np.arange(1000, dtype=np.float32) / 100)
    vectors = np.random.default_rng(0).normal(size=(1000, 8)).astype(np.float32)
    group = np.zeros(1000, np.int32)
    group[500:] = np.arange(500)
    slate = assemble(score, 3, placements=Placements(caps=(Cap("brand", group, 1),)), diversity=Diversity(0.01, vectors))
    assert slate.rows[0] == 0
    assert all(slate.rows[1:] >= 500)
    assert slate.score_after[0] == pytest.approx(0.99)


@given(st.lists(st.floats(-(2.0**100), 2.0**100, width=32), max_size=50))
def test_relevance_keeps_the_order_and_is_finite(values: list[float]) -> None:
    score = np.sort(np.array(values, np.float32))[::-1]
    scaled = relevance(Window(np.arange(len(score), dtype=np.int32), score, anchor=20))
    assert np.isfinite(scaled).all()
    assert (np.diff(scaled) <= 1e-6 * np.maximum(1, np.abs(scaled[:-1]))).all()
