import numpy as np
import polars as pl
import pytest

from endcap.events.outcomes.examination import Examination, measured_examination

CHANCES = {1: 1.0, 2: 0.8, 3: 0.35, 4: 0.3}
RATES = np.array([0.5, 0.3, 0.25, 0.2, 0.15])
SWAP_SHARE = 0.1


def simulated(lists: int, seed: int) -> pl.DataFrame:
    """Click outcomes of lists of four places: the best items on top, the first two now and then exchanged, one place of three explored."""
    random = np.random.default_rng(seed)
    item = np.tile(np.arange(4), (lists, 1))
    explored_at = random.integers(1, 4, lists)
    explores = random.random(lists) < 0.5
    item[explores, explored_at[explores]] = 4
    can_swap = ~(explores & (explored_at == 1))
    swaps = can_swap & (random.random(lists) < SWAP_SHARE)
    item[swaps, 0], item[swaps, 1] = 1, 0
    placement = np.full((lists, 4), "ranked", dtype=object)
    placement[swaps, :2] = "swapped"
    placement[explores, explored_at[explores]] = "explored"
    propensity = np.where(swaps, SWAP_SHARE, 1 - SWAP_SHARE)
    clicked = random.random((lists, 4)) < RATES[item] * np.array(list(CHANCES.values()))
    return pl.DataFrame(
        {
            "request_id": np.repeat([f"r{number}" for number in range(lists)], 4),
            "surface": "home",
            "position": np.tile([1, 2, 3, 4], lists),
            "placement": placement.ravel().tolist(),
            "propensity": np.repeat(propensity, 4),
            "objective": "click",
            "followed": clicked.ravel(),
        }
    )


def test_a_known_truth_lies_within_the_interval_of_each_place() -> None:
    found = measured_examination(simulated(60_000, seed=3))
    for position in (2, 3, 4):
        place = found.of(position)
        assert place.low is not None and place.high is not None
        assert place.low < CHANCES[position] < place.high
        assert place.high - place.low < 0.25
    assert [found.of(position).source for position in (1, 2, 3)] == ["assumed", "swapped", "explored"]


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    held = [
        place.low <= CHANCES[position] <= place.high
        for seed in range(20)
        for position in (2, 3)
        for place in [measured_examination(simulated(8_000, seed)).of(position)]
        if place.low is not None and place.high is not None
    ]
    assert len(held) == 40
    assert sum(held) >= 34


def test_the_constant_stands_until_there_are_enough_clicks() -> None:
    found = measured_examination(simulated(40, seed=1))
    assert [found.of(position).source for position in (1, 2, 3, 4)] == ["assumed"] * 4
    assert found.of(4).chance == 0.5
    assert measured_examination(simulated(0, seed=1)).measured == {}


def test_explored_places_are_compared_with_an_assumed_second_one_until_the_first_two_were_exchanged() -> None:
    rows = simulated(90_000, seed=2).filter(pl.col("placement") == "explored")
    place = measured_examination(rows).of(4)
    assert place.source == "explored from assumed"
    assert place.chance == pytest.approx(2**-0.5 * CHANCES[4] / CHANCES[2], rel=0.15)


def test_other_objectives_say_nothing() -> None:
    rows = simulated(2_000, seed=3).with_columns(objective=pl.lit("purchase"))
    assert measured_examination(rows).measured == {}


def test_places_without_a_measurement_follow_the_law() -> None:
    found = measured_examination(simulated(60_000, seed=3))
    chances = pl.DataFrame({"position": [1, 3, 9]}).select(found.chance(pl.col("position"))).to_series().to_list()
    assert chances[0] == 1
    assert chances[1] == found.of(3).chance
    assert chances[2] == pytest.approx(1 / 3)
    assert Examination(power=0).of(7).chance == 1
