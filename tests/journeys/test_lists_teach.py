"""A shop that shows endcap's lists: its next bundle is trained by what people did with them, and says so."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from endcap.training.shown_lists import FOLLOWED_ENOUGH
from tests.journeys.shops import Line, item_id, shoppers, write_dataset
from tests.journeys.test_every_shape import check_bundle, check_models, exported, run_steps

pytestmark = [pytest.mark.training, pytest.mark.journeys, pytest.mark.timeout(600)]
PLACES = 8


def with_lists(lines: list[Line], seed: int = 0) -> list[Line]:
    """An hour before each receipt a list was served that had what was bought among others, in any order."""
    return [*lines, *_lists(lines, np.random.default_rng(seed))]


def _lists(lines: list[Line], rng: np.random.Generator) -> Iterator[Line]:
    for visit, group in groupby(lines, key=lambda line: line.visit):
        bought = list(group)
        others = [item_id(int(number)) for number in rng.choice(40, PLACES, replace=False)]
        items = list(dict.fromkeys([*(line.item for line in bought), *others]))[:PLACES]
        for position, item in enumerate(rng.permutation(items), 1):
            at = bought[0].at - timedelta(hours=1)
            yield replace(bought[0], item=str(item), at=at, kind="impression", request=f"r-{visit}", position=position, price=None)


def test_the_next_bundle_says_that_it_learned_from_lists(tmp_path: Path) -> None:
    plain = shoppers(users=60, seed=21)
    made = run_steps(write_dataset(tmp_path / "shop", with_lists(plain)), tmp_path / "run")
    shown = made.training.manifest.shown
    assert shown is not None
    assert shown.followed >= FOLLOWED_ENOUGH
    assert shown.places > 2 * shown.followed
    assert not made.training.manifest.taught_by(), "lists are no signal"
    check_models(made)
    check_bundle(made)
    note = next(note for note in exported(made).manifest.notes if "lists" in note)
    assert note == shown.note()
    assert "the ranker's examples are weighed by" in note


def test_lists_change_weights_and_nothing_else_that_is_learned_from(tmp_path: Path) -> None:
    plain = shoppers(users=60, seed=21)
    without = run_steps(write_dataset(tmp_path / "plain", plain), tmp_path / "without").training
    with_them = run_steps(write_dataset(tmp_path / "shop", with_lists(plain)), tmp_path / "with").training
    assert with_them.purchases.drop("session_id").equals(without.purchases.drop("session_id"))
    first = without.manifest.ranking_windows[0]
    assert with_them.labels_at(first).equals(without.labels_at(first))
    assert (with_them.manifest.shown is None, without.manifest.shown) == (False, None)
