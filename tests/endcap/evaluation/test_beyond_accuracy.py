"""Diversity, novelty and coverage, by hand."""

import numpy as np
import pytest

from endcap.evaluation.beyond_accuracy import attribute_diversity, coverage, diversity, novelty, share_new
from endcap.evaluation.bootstrap import Resamples
from endcap.evaluation.calibration import calibration_curve, expected_calibration_error
from endcap.evaluation.evaluate_lists import by_value, history_terciles, large_enough

CATEGORY = np.array([0, 1, 1, 2, 3], dtype=np.int32)


def test_diversity_is_the_share_of_pairs_from_different_categories() -> None:
    items = np.array([[1, 2, 3], [1, 3, 4], [1, 2, 0], [1, 0, 0], [0, 0, 0]], dtype=np.int32)
    assert diversity(items, CATEGORY).tolist() == pytest.approx([2 / 3, 1.0, 0.0, 0.0, 0.0])


def test_attribute_diversity_is_the_mean_jaccard_distance_of_pairs() -> None:
    attributes = np.array([[0, 0], [1, 2], [1, 0], [3, 0], [0, 0]], dtype=np.int32)
    items = np.array([[1, 2, 0], [1, 2, 3], [1, 1, 0], [3, 4, 0], [2, 0, 0], [0, 0, 0]], dtype=np.int32)
    assert attribute_diversity(items, attributes).tolist() == pytest.approx([1 / 2, (1 / 2 + 1 + 1) / 3, 0.0, 1.0, 0.0, 0.0])


def test_share_new_counts_the_places_that_are_filled() -> None:
    items = np.array([[1, 2, 3, 0], [4, 5, 0, 0], [0, 0, 0, 0]], dtype=np.int32)
    had = np.array([[True, False, False, False], [True, True, False, False], [False] * 4])
    assert share_new(items, had).tolist() == pytest.approx([2 / 3, 0.0, 0.0])


def test_novelty_is_self_information_in_bits() -> None:
    share = np.array([0.0, 0.5, 0.25, 1.0, 0.125])
    items = np.array([[1, 2], [3, 3], [4, 0], [0, 0]], dtype=np.int32)
    assert novelty(items, share).tolist() == pytest.approx([1.5, 0.0, 3.0, 0.0])


def test_coverage_counts_each_item_once() -> None:
    items = np.array([[1, 2], [2, 0], [1, 3]], dtype=np.int32)
    found = coverage(items, 6, Resamples(3, seed=0))
    assert found.mean == pytest.approx(0.5)
    assert found.low <= found.mean <= found.high


def test_calibrated_predictions_lie_on_the_diagonal() -> None:
    random = np.random.default_rng(0)
    probability = random.random(200_000).astype(np.float32)
    curve = calibration_curve(probability, random.random(200_000) < probability)
    assert sum(each.count for each in curve) == 200_000
    assert expected_calibration_error(curve) < 0.01
    assert expected_calibration_error(calibration_curve(probability, np.zeros(200_000, bool))) == pytest.approx(0.5, abs=0.01)


def test_equal_predictions_share_a_bin_and_none_is_lost() -> None:
    curve = calibration_curve(np.full(1000, 0.25, np.float32), np.arange(1000) < 250)
    assert [(each.predicted, each.observed, each.count) for each in curve] == [(0.25, 0.25, 1000)]
    assert calibration_curve(np.zeros(0, np.float32), np.zeros(0, bool)) == []


def test_terciles_hold_everybody_once() -> None:
    parts = history_terciles(np.arange(300))
    assert np.sum(list(parts.values()), axis=0).tolist() == [1] * 300
    assert all(95 <= rows.sum() <= 105 for rows in parts.values())


def test_unknown_values_and_small_groups_are_no_segments() -> None:
    parts = by_value("age", ["35-44"] * 40 + ["65+"] * 5 + [""] * 60)
    assert list(parts) == ["age: 35-44", "age: 65+"]
    assert list(large_enough(parts)) == ["age: 35-44"]
