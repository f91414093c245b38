"""Moments of visits know what came before them and nothing else."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from endcap.contracts.signals import signal_code
from endcap.features.computing import build_feature_tables
from endcap.training.training_set import TrainingSet
from endcap.training.visits import VisitMoments, visit_moments
from endcap_components.build_training_set.step import build_training_set
from tests.endcap.features.made_shop import Row, item, moment, purchase, write_shop

FIRST = moment("2025-01-06T09:00:00")
MOST = 10_000


def seen(visit: str, *touches: str, at: datetime, user: str | None = None) -> list[Row]:
    """A visit, each touch a minute after the one before, as "product_view:i01"."""
    rows = []
    for minute, touch in enumerate(touches):
        kind, item_id = touch.split(":")
        given = {"unit_price": None, "quantity": None} if kind != "purchase" else {}
        rows.append(purchase(user, item_id, at + timedelta(minutes=minute), event_type=kind, session_id=visit, **given))
    return rows


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    """Half a year of visits that nothing is asked of, and some whose moments are known, in the weeks before the cut."""
    folder: Path = tmp_path_factory.mktemp("visits")
    rows = [
        row
        for day in range(0, 180, 2)
        for row in seen(f"d{day}", "purchase:i01", "product_view:i02", at=FIRST + timedelta(days=day), user="u1")
    ]
    at = FIRST + timedelta(days=135)
    rows += seen("a", "product_view:i03", "product_view:i04", "add_to_cart:i04", "product_view:i03", at=at)
    rows += seen("b", "product_view:i05", "product_view:i06", at=at, user="u1")
    rows += seen("one", "product_view:i05", at=at)
    rows += seen("long", "product_view:i07", at=FIRST + timedelta(days=60)) + seen("long", "product_view:i08", at=at)
    write_shop(folder / "data", rows, [item(f"i{number:02}") for number in range(10)])
    build_feature_tables(folder / "data", folder / "features")
    build_training_set(folder / "data", folder / "features", folder / "training", min_buyers=1)
    return TrainingSet(folder / "training")


def moments_of(training: TrainingSet, most: int = MOST) -> VisitMoments:
    manifest = training.manifest
    return visit_moments(training, manifest.ranking_windows[0], manifest.cut, most, np.random.default_rng(0))


def test_each_event_but_the_first_follows_from_those_before_it(training: TrainingSet) -> None:
    found = moments_of(training)
    places = [place for place, visit in enumerate(found.visit_ids) if visit == "a"]
    assert [training.items.ids.name(int(found.next_item[place])) for place in places] == ["i04", "i04", "i03"]
    cart = signal_code("add_to_cart")
    assert [int(found.next_signal[place]) == cart for place in places] == [False, True, False]
    sessions = [[training.items.ids.name(int(code)) for code in found.states[place].session] for place in places]
    assert sessions == [["i03"], ["i03", "i04"], ["i03", "i04", "i04"]]
    last = found.states[places[-1]]
    assert training.items.ids.name(int(last.signals.index[last.signals.in_cart][0])) == "i04"


def test_a_person_is_known_from_before_the_visit(training: TrainingSet) -> None:
    found = moments_of(training)
    known = found.states[found.visit_ids.index("b")]
    assert known.is_known
    assert training.items.ids.code("i01") in known.pair_index
    assert not found.states[found.visit_ids.index("a")].is_known


def test_visits_of_one_event_and_those_that_began_before_are_left_out(training: TrainingSet) -> None:
    assert not {"one", "long"} & set(moments_of(training).visit_ids)


def test_nothing_from_the_end_on_is_seen(training: TrainingSet) -> None:
    manifest = training.manifest
    at = FIRST + timedelta(days=135)
    found = visit_moments(training, manifest.ranking_windows[0], at + timedelta(minutes=2), MOST, np.random.default_rng(0))
    assert found.visit_ids.count("a") == 1
    assert len(visit_moments(training, manifest.cut, manifest.cut, MOST, np.random.default_rng(0))) == 0


def test_of_many_moments_so_many_are_drawn(training: TrainingSet) -> None:
    assert len(moments_of(training)) > 7
    assert len(moments_of(training, most=7)) == 7
