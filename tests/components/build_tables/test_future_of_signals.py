"""Move what people view, cart, search for, rate, buy and return from a moment on: nothing that is learned as of that moment changes."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from endcap.contracts.signals import Signals
from endcap.features.computing import build_feature_tables
from endcap.features.snapshots import FeatureOptions
from endcap.training.moment_tables import TablesArtifact
from endcap.training.training_set import TrainingSet
from endcap_components.build_tables.step import build_tables
from endcap_components.build_training_set.step import build_training_set
from endcap_components.train_two_tower.step import early_interactions
from tests.endcap.features.made_shop import Row, item, moment, purchase, write_shop

START, END = moment("2025-01-06T09:00:00"), moment("2025-06-30T09:00:00")
KINDS = ("product_view", "product_view", "add_to_cart", "remove_from_cart", "search", "rating", "purchase", "purchase", "return")
USERS, ITEMS, EVENTS = 25, 20, 3000
SIGNALS = Signals(low_rating=2)


def made_events(seed: int) -> list[Row]:
    """Visits of known people and of nobody, of all types at random."""
    rng = random.Random(seed)
    return [_event(rng, number, START + (END - START) * rng.random()) for number in range(EVENTS)]


def _event(rng: random.Random, number: int, at: datetime) -> Row:
    kind = rng.choice(KINDS)
    user = f"u{rng.randrange(USERS):02}" if rng.random() < 0.8 else None
    given = {"rating": float(rng.randrange(1, 6)) if kind == "rating" else None, "event_id": f"{number:032x}"}
    if kind != "purchase":
        given |= {"unit_price": None, "quantity": None}
    item_id = None if kind == "search" else f"i{rng.randrange(ITEMS):02}"
    return purchase(user, item_id, at.replace(microsecond=0), event_type=kind, session_id=f"v{number // 3}", **given)


def moved(events: list[Row], present: datetime) -> list[Row]:
    """The same past, and from the present on other events."""
    rng = random.Random(99)
    return [
        event if event["occurred_at"] < present else _event(rng, number, present + (END - present) * rng.random())
        for number, event in enumerate(events)
    ]


@dataclass(frozen=True)
class Learned:
    """What is made of a shop's events up to what models learn from."""

    training: TrainingSet
    tables: TablesArtifact

    def as_of(self, at: datetime) -> Iterator[tuple[str, pl.DataFrame]]:
        """By name, everything that is known as of a moment."""
        yield "users", self.training.user_rows_at(at)
        yield "items", self.training.item_features_at(at).sort("item_id")
        yield "eligible", pl.DataFrame({"eligible": self.training.eligible_at(at)})
        tables = self.tables.at(at)
        yield "popularity", tables.popularity.to_frame()
        yield "item-to-item", _frame(tables.item_to_item.index, tables.item_to_item.weight.astype(np.float32))
        yield "repurchase", _frame(tables.repurchase_gap_days)

    def early(self) -> pl.DataFrame:
        """Everything that people and visits did before the first window, as the two-tower learns from it."""
        found = early_interactions(self.training)
        assert found.signal is not None
        return _frame(found.user_row, found.item_index, found.age_days, found.signal)


def _frame(*columns: NDArray[np.generic]) -> pl.DataFrame:
    return pl.DataFrame({str(place): values for place, values in enumerate(columns)})


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[Row]], Learned]:
    def make(events: list[Row]) -> Learned:
        folder = tmp_path_factory.mktemp("future")
        looked = purchase("u00", None, END, event_type="page_view", unit_price=None, quantity=None)
        write_shop(folder / "data", [*events, looked], [item(f"i{number:02}") for number in range(ITEMS)])
        build_feature_tables(folder / "data", folder / "features", FeatureOptions(low_rating=SIGNALS.low_rating))
        build_training_set(folder / "data", folder / "features", folder / "training", signals=SIGNALS, min_buyers=2)
        build_tables(folder / "training", folder / "tables", neighbours=10)
        return Learned(TrainingSet(folder / "training"), TablesArtifact(folder / "tables"))

    return make


def test_nothing_as_of_a_moment_knows_what_comes_later(learned: Callable[[list[Row]], Learned]) -> None:
    events = made_events(1)
    before = learned(events)
    windows, cut = before.training.manifest.ranking_windows, before.training.manifest.cut
    for present, known in ((cut, [*windows, cut]), (windows[0], windows[:1])):
        after = learned(moved(events, present))
        assert after.training.manifest.ranking_windows == windows
        assert after.early().equals(before.early())
        for at in known:
            for (name, expected), (_, found) in zip(before.as_of(at), after.as_of(at), strict=True):
                assert found.equals(expected), f"{name} as of {at}"
    assert not learned(moved(events, windows[0] - timedelta(days=7))).early().equals(before.early())
