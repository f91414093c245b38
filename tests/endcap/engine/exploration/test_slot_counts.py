import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.engine.exploration.slots import drawn, slot_counts

COUNTS = st.integers(0, 12)


@given(st.floats(0, 12), st.floats(0, 1), COUNTS, COUNTS, COUNTS)
def test_every_way_fits_and_their_mean_is_what_was_asked_for(mean: float, share: float, positions: int, new: int, known: int) -> None:
    ways = slot_counts(mean, share, positions, new, known)
    assert sum(way.probability for way in ways) == pytest.approx(1)
    assert all(0 <= way.new <= new and 0 <= way.known <= known and way.slots <= positions for way in ways)
    if mean + 1 <= min(positions, new, known):
        assert sum(way.probability * way.slots for way in ways) == pytest.approx(mean, abs=1e-6)
        assert sum(way.probability * way.new for way in ways) == pytest.approx(mean * share, abs=1e-6)


def test_half_a_place_is_one_place_in_every_second_list() -> None:
    assert [(way.probability, way.slots) for way in slot_counts(0.5, 1.0, 9, 5, 5)] == [(0.5, 0), (0.5, 1)]


def test_new_items_take_all_explored_places_when_nothing_else_is_there_and_the_other_way_round() -> None:
    assert [(way.new, way.known) for way in slot_counts(2, 0.0, 9, 5, 0)] == [(2, 0)]
    assert [(way.new, way.known) for way in slot_counts(2, 1.0, 9, 0, 5)] == [(0, 2)]


def test_ways_are_drawn_as_often_as_they_are_likely() -> None:
    ways = slot_counts(1.3, 0.5, 9, 5, 5)
    random = np.random.default_rng(0)
    counts = [drawn(ways, random) for _ in range(10_000)]
    for way in set(ways):
        expected = sum(other.probability for other in ways if other == way)
        assert counts.count(way) / 10_000 == pytest.approx(expected, abs=0.02)
