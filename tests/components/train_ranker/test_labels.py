from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from endcap.engine.retrieval.candidates import Candidates, CandidateSet, union
from endcap.engine.retrieval.signal_state import SignalState
from endcap.features.columns import OBJECTIVES
from endcap.training.training_set import INTERACTIONS_NAME
from endcap_components.train_ranker.labels import happened_from, label
from tests.endcap.engine.retrieval.made_states import made_state

NOW = datetime(2026, 3, 2, tzinfo=UTC)
BOUGHT = pl.DataFrame(
    {"user_id": ["a", "a", "b"], "item_index": [1, 2, 3], "baskets": [1, 3, 1]},
    schema={"user_id": pl.String, "item_index": pl.Int32, "baskets": pl.Int32},
)
CART, VIEW, PURCHASE = 2, 3, 1
MOMENT = pl.Datetime("us", "UTC")
TYPED = {"user_id": pl.String, "item_index": pl.Int32, "occurred_at": MOMENT, "signal": pl.UInt8, "taken_off_at": MOMENT}


def candidates_of(*items: int) -> CandidateSet:
    index = np.array(items, dtype=np.int32)
    return union({"popular": Candidates(index, np.linspace(1, 0.1, len(index), dtype=np.float32))}, 100)


def training_of(folder: Path, bought: pl.DataFrame = BOUGHT) -> SimpleNamespace:
    """What labels are read from."""
    typed = folder / INTERACTIONS_NAME
    interactions = pl.scan_parquet(typed) if typed.is_file() else None
    manifest = SimpleNamespace(horizon_days=28)
    return SimpleNamespace(has_signals=typed.is_file(), interactions=interactions, manifest=manifest, labels_at=lambda _: bought)


def labels_of(happened: dict[str, pl.DataFrame], **states: SignalState) -> dict[str, list[float]]:
    """Of b's candidates 1 and 3, then a's 2, 1 and 3."""
    made = [made_state(signals=states[user]) if user in states else made_state() for user in ("b", "a")]
    found = label(["b", "a"], made, [candidates_of(1, 3), candidates_of(2, 1, 3)], happened)
    return {name: found[:, column].tolist() for column, name in enumerate(OBJECTIVES)}


def test_labels_are_what_each_user_bought(tmp_path: Path) -> None:
    labels = labels_of(happened_from(training_of(tmp_path), NOW))
    assert labels == {"buy": [0, 1, 1, 1, 0], "buy_again": [0, 0, 1, 0, 0], "cart": [0] * 5, "view": [0] * 5}


def test_nobody_bought_anything(tmp_path: Path) -> None:
    assert not any(sum(values) for values in labels_of(happened_from(training_of(tmp_path, BOUGHT.clear()), NOW)).values())


@pytest.mark.parametrize(
    ("days", "taken_off_days", "counts"),
    [(0, None, True), (27.9, None, True), (28, None, False), (-0.1, None, False), (3, 5, False), (3, 40, True)],
)
def test_carts_and_views_count_within_the_horizon(tmp_path: Path, days: float, taken_off_days: float | None, counts: bool) -> None:
    off = None if taken_off_days is None else NOW + timedelta(days=taken_off_days)
    rows = [("a", 3, CART), ("b", 1, VIEW), ("a", 1, PURCHASE), ("\x1fvisit", 1, CART)]
    frame = pl.DataFrame(
        [(user, item, NOW + timedelta(days=days), kind, off) for user, item, kind in rows],
        schema=TYPED,
        orient="row",
    )
    frame.write_parquet(tmp_path / INTERACTIONS_NAME)
    labels = labels_of(happened_from(training_of(tmp_path), NOW))
    assert labels["cart"] == [0, 0, 0, 0, int(counts)]
    assert labels["view"] == [int(counts), 0, 0, 0, 0]
    assert labels["buy"] == [0, 1, 1, 1, 0]


def test_what_a_user_rated_low_is_wanted_no_more(tmp_path: Path) -> None:
    low = SignalState.empty(np.array([2, 3], dtype=np.int32))
    low.rated_low[0] = True
    labels = labels_of(happened_from(training_of(tmp_path), NOW), a=low)
    assert labels["buy"] == [0, 1, 0, 1, 0]
    assert labels["buy_again"] == [0] * 5
