"""What people and visits of nobody known did with items is learned from, each thing by its type."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from endcap.contracts.signals import VISIT_PREFIX, Signal, Signals
from endcap.core.errors import DataRejected
from endcap.features.computing import build_feature_tables
from endcap.training.training_set import TrainingSet
from endcap_components.build_training_set.interactions import HISTORY_MAX, Written, eligible_by_interactions, write_interactions
from endcap_components.build_training_set.step import build_training_set
from tests.endcap.features.made_shop import Row, item, purchase, write_shop
from tests.endcap.training.made_artifacts import dataset_dir, training_dir

START = datetime(2025, 3, 3, tzinfo=UTC)
INDEX = pl.DataFrame({"item_id": ["a", "b"], "item_index": [1, 2]}, schema_overrides={"item_index": pl.Int32})
VIEW, CART, BUY = 3, 2, 1


def did(kind: str, user: str | None, item_id: str, hours: float, visit: str = "v", **given: Any) -> Row:
    return purchase(user, item_id, START + timedelta(hours=hours), event_type=kind, session_id=visit, **given)


def view(user: str | None, item_id: str, hours: float, visit: str = "v", **given: Any) -> Row:
    return did("product_view", user, item_id, hours, visit, **given)


def written(
    folder: Path, events: list[Row], signals: Signals | None = None, *, history_max: int = HISTORY_MAX
) -> tuple[Written | None, pl.DataFrame]:
    write_shop(folder, events, [item("a"), item("b")])
    out = folder / "interactions.parquet"
    counts = write_interactions(folder, INDEX, signals or Signals(), [START + timedelta(days=10)], out, history_max=history_max)
    return counts, pl.read_parquet(out) if out.exists() else pl.DataFrame()


def test_every_type_is_kept_oldest_first_under_its_code(tmp_path: Path) -> None:
    counts, rows = written(tmp_path, [purchase("u", "a", START, session_id="v"), did("add_to_cart", "u", "b", -1), view("u", "a", -2)])
    assert counts == Written(3, 0, 0)
    assert rows["signal"].to_list() == [VIEW, CART, BUY]
    assert rows["user_id"].to_list() == ["u"] * 3


def test_purchases_alone_are_not_written_again(tmp_path: Path) -> None:
    counts, rows = written(tmp_path, [purchase("u", "a", START)])
    assert counts is None
    assert rows.is_empty()


def test_a_visit_joins_the_person_forward_from_where_they_are_known(tmp_path: Path) -> None:
    events = [view(None, "a", 1), view("u", "b", 2), view(None, "a", 3), view(None, "b", 1, "w")]
    counts, rows = written(tmp_path, events)
    assert counts is not None
    assert counts.visits == 2
    by_time = rows.sort("occurred_at", "session_id").select("session_id", "user_id").rows()
    assert by_time == [("v", f"{VISIT_PREFIX}v"), ("w", f"{VISIT_PREFIX}w"), ("v", "u"), ("v", "u")]


def test_the_next_person_of_a_shared_visit_owns_what_follows(tmp_path: Path) -> None:
    _, rows = written(tmp_path, [view("u", "a", 1), view(None, "b", 2), view("w", "a", 3), view(None, "b", 4)])
    assert rows["user_id"].to_list() == ["u", "u", "w", "w"]


def test_without_consent_nothing_is_kept_and_nobody_is_known_by_it(tmp_path: Path) -> None:
    _, rows = written(tmp_path, [view("u", "a", 1, consent=False), view(None, "b", 2)])
    assert rows["user_id"].to_list() == [f"{VISIT_PREFIX}v"]


def test_types_without_weight_and_visits_can_be_left_out(tmp_path: Path) -> None:
    events = [view("u", "a", 1), did("add_to_cart", "u", "b", 2), did("add_to_cart", None, "b", 2, "w"), did("add_to_cart", "u", "no", 3)]
    _, rows = written(tmp_path, events, Signals(product_view=Signal(weight=0), anonymous_visits=False))
    assert rows.select("user_id", "item_index", "signal").rows() == [("u", 2, CART)]


def test_a_return_and_a_low_rating_take_off_what_came_before(tmp_path: Path) -> None:
    events = [
        view("u", "a", 1),
        did("rating", "u", "a", 5, rating=1.0),
        view("u", "a", 6),
        did("rating", "u", "b", 7, rating=5.0),
        purchase("u", "b", START, session_id="x"),
        purchase("u", "b", START + timedelta(hours=9), event_type="return", session_id="y", unit_price=None),
    ]
    _, rows = written(tmp_path, events, Signals(low_rating=2))
    gone = {(signal, index): at for signal, index, at in rows.sort("occurred_at").select("signal", "item_index", "taken_off_at").rows()}
    assert len(rows) == 4
    assert rows.filter(item_index=1)["taken_off_at"].to_list() == [START + timedelta(hours=5), None]
    assert gone[BUY, 2] == START + timedelta(hours=9)
    assert gone[4, 2] is None


def test_of_too_long_a_history_the_newest_before_each_moment_stay(tmp_path: Path) -> None:
    long = [view("u", "a", hours) for hours in range(20)]
    short = [view("w", "b", hours) for hours in range(3)]
    late = [view("u", "b", 24 * 11 + hours) for hours in range(2)]
    counts, rows = written(tmp_path, [*long, *short, *late], history_max=5)
    assert counts == Written(10, 0, 1)
    hours = [(at - START) // timedelta(hours=1) for at in rows.filter(user_id="u")["occurred_at"]]
    assert hours == [15, 16, 17, 18, 19, 264, 265]


def test_people_and_visits_that_did_anything_count_before_each_moment(tmp_path: Path) -> None:
    looked = [view(None, "a", hours, f"v{hours}") for hours in range(10) for _ in range(2)]
    written(tmp_path, [*looked, view("u", "b", 3), purchase("u", "b", START + timedelta(hours=30))])
    file = tmp_path / "interactions.parquet"
    moments = [START + timedelta(hours=4), START + timedelta(hours=40)]
    assert eligible_by_interactions(file, moments, 5).rows() == [(moments[1], 1)]
    assert eligible_by_interactions(file, moments, 2).rows() == [(moments[0], 1), (moments[1], 1)]
    assert set(eligible_by_interactions(file, moments, 1).rows()) == {(at, item) for at in moments for item in (1, 2)}


def test_events_that_are_no_table_are_named_by_their_file(tmp_path: Path) -> None:
    (tmp_path / "events.parquet").write_bytes(b"broken")
    with pytest.raises(DataRejected, match=r"events\.parquet"):
        write_interactions(tmp_path, INDEX, Signals(), [], tmp_path / "interactions.parquet")


def test_visits_are_sequences_and_purchases_are_as_they_were(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    bought = pl.read_parquet(dataset_dir() / "events.parquet")
    looked = bought.with_columns(
        pl.lit("product_view").alias("event_type"),
        pl.format("w-{}", "event_id").alias("event_id"),
        pl.format("w-{}", "session_id").alias("session_id"),
        pl.lit(None, dtype=pl.String).alias("user_id"),
    )
    pl.concat([bought, looked]).write_parquet(data / "events.parquet")
    for name in ("items", "users"):
        (data / f"{name}.parquet").write_bytes((dataset_dir() / f"{name}.parquet").read_bytes())
    build_feature_tables(data, tmp_path / "features")
    manifest = build_training_set(data, tmp_path / "features", tmp_path / "training", min_buyers=3)
    made, alone = TrainingSet(tmp_path / "training"), TrainingSet(training_dir())
    assert not alone.has_signals
    assert made.has_signals
    assert manifest.users == alone.manifest.users
    assert manifest.visits == looked["session_id"].n_unique()
    assert made.sequences.users == manifest.users + manifest.visits
    signals = {int(code) for part in made.sequences.stream() for code in part.signal}
    assert signals == {BUY, VIEW}
    for name in ("purchases", "labels", "eligible"):
        assert pl.read_parquet(made.path / f"{name}.parquet").equals(pl.read_parquet(alone.path / f"{name}.parquet")), name
    assert made.interactions.select(pl.len()).collect().item() == len(bought) + len(looked)
    assert alone.interactions.collect()["signal"].unique().to_list() == [BUY]
