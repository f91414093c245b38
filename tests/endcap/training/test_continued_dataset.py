"""A dataset goes on with what the log and the catalogue have beyond it: each event once, of persons, with the items they are about."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import polars as pl
import pytest

from endcap.catalogue.changes.waiting_items import WAITING_SCHEMA
from endcap.contracts.event import Event
from endcap.core.errors import DataRejected
from endcap.dataset.layout import Dataset, open_dataset, write_description
from endcap.events.log.writer import FILE_SUFFIX
from endcap.events.stream.bots import BotRules
from endcap.training.continued_dataset import Arrivals, arrivals, continue_dataset
from tests.journeys.shops import shoppers, write_dataset

NOTHING_WAITS = WAITING_SCHEMA.to_frame()
SHARE = 0.1


@pytest.fixture
def base(tmp_path: Path) -> Dataset:
    return open_dataset(write_dataset(tmp_path / "data", shoppers(users=20, weeks=4)))


Logged = Callable[..., Path]


@pytest.fixture
def logged(tmp_path: Path, base: Dataset) -> Logged:
    """Writes events, each given as what differs from a view of an item by a person."""

    def write(*changes: dict[str, Any], name: str = "20260101T000000-1") -> Path:
        folder = tmp_path / "events"
        folder.mkdir(exist_ok=True)
        lines = [_line(base, number, each) for number, each in enumerate(changes)]
        (folder / f"{name}{FILE_SUFFIX}").write_text("".join(lines), encoding="utf-8")
        return folder

    return write


def _line(base: Dataset, number: int, changes: dict[str, Any]) -> str:
    at = base.last_event_at + timedelta(hours=1, minutes=number)
    given = {
        "event_id": str(uuid5(NAMESPACE_OID, f"{number} {sorted(changes.items())}")),
        "event_type": "product_view",
        "occurred_at": at,
        "received_at": at,
        "user_id": "u001",
        "session_id": "v-new",
        "item_id": "i001",
        "consent": True,
        "consent_analytics": True,
    }
    return Event.model_validate({**given, **changes}).model_dump_json(exclude_none=True) + "\n"


def waiting(*items: dict[str, Any], at: datetime) -> pl.DataFrame:
    rows = [{"item_id": each["item_id"], "updated_at": at, "item": json.dumps(each)} for each in items]
    return pl.DataFrame(rows, schema=WAITING_SCHEMA)


def came(base: Dataset, log: Path, items: pl.DataFrame = NOTHING_WAITS) -> Arrivals:
    return arrivals(base, log, items, BotRules())


def test_what_the_log_has_beyond_the_dataset_is_added_once(base: Dataset, logged: Logged) -> None:
    log = logged({}, {"event_type": "add_to_cart"}, {"user_id": None})
    logged({}, name="20260102T000000-2")
    rows = base.rows["events"]
    dataset, reused = continue_dataset(base, came(base, log), base.path, SHARE)
    assert (dataset.rows["events"], reused, dataset.rejected["events"]) == (rows + 3, False, 0)
    again = open_dataset(base.path)
    assert again.rows == dataset.rows
    assert came(again, log).are_none
    assert continue_dataset(again, came(again, log), base.path, SHARE) == (again, True)
    kept = pl.read_parquet(base.table("events"))
    assert kept["event_id"].n_unique() == len(kept)
    assert again.last_event_at == kept["occurred_at"].max()


def test_written_elsewhere_the_dataset_stays_as_it_was_and_the_same_is_taken_again(base: Dataset, logged: Logged, tmp_path: Path) -> None:
    arrived = came(base, logged({}))
    first, reused = continue_dataset(base, arrived, tmp_path / "next", SHARE)
    assert not reused
    assert open_dataset(base.path).rows == base.rows
    assert continue_dataset(base, arrived, tmp_path / "next", SHARE) == (first, True)
    assert not continue_dataset(base, arrived, tmp_path / "next", SHARE, force=True)[1]


def test_events_that_do_not_count_in_the_stream_do_not_count_here(base: Dataset, logged: Logged) -> None:
    bots = [{"session_id": "robot", "device": "Googlebot/2.1"}] * 2
    log = logged({}, {"item_id": "undefined"}, {"user_id": "guest"}, *bots, {"event_type": "search_result", "query": "tea"})
    arrived = came(base, log)
    assert arrived.left_out == 3
    assert arrived.events["user_id"].to_list() == ["u001", None]
    dataset, _ = continue_dataset(base, arrived, base.path, SHARE)
    assert dataset.left_out == {"events": 3}


def test_lists_come_with_what_a_training_reads_of_them(base: Dataset, logged: Logged) -> None:
    place = {"event_type": "impression", "request_id": "r1", "position": 2, "propensity": 0.25, "surface": "home", "source": "popular"}
    seen = {"event_type": "seen_impression", "request_id": "r1", "position": 2}
    dataset, _ = continue_dataset(base, came(base, logged(place, seen)), base.path, SHARE)
    rows = pl.read_parquet(dataset.table("events")).filter(pl.col("request_id") == "r1")
    assert rows.sort("event_type").select("event_type", "position", "propensity").rows() == [
        ("impression", 2, 0.25),
        ("seen_impression", 2, None),
    ]


def test_items_that_wait_come_with_their_events(base: Dataset, logged: Logged) -> None:
    log = logged({}, {"item_id": "fresh"}, {"item_id": "nobody-knows"})
    fresh = {
        "item_id": "fresh",
        "title": "Fresh",
        "category_path": ["Shop"],
        "attributes": {"colour": "red"},
        "price": 2.5,
        "currency": "EUR",
    }
    known = {"item_id": "i001", "title": "Another title", "category_path": []}
    arrived = came(base, log, waiting(fresh, known, at=base.last_event_at))
    dataset, _ = continue_dataset(base, arrived, base.path, SHARE)
    assert dataset.rows["items"] == base.rows["items"] + 1
    assert (dataset.rows["events"], dataset.rejected["events"]) == (base.rows["events"] + 2, 1)
    item = pl.read_parquet(dataset.table("items")).row(by_predicate=pl.col("item_id") == "fresh", named=True)
    assert (item["title"], item["attributes"], item["price"], item["availability"]) == ("Fresh", '{"colour": "red"}', 2.5, "in_stock")


def test_nothing_is_learned_from_who_took_the_consent_back(base: Dataset, logged: Logged) -> None:
    said = {"item_id": None, "consent": False, "consent_analytics": False}
    back = {"item_id": None, "event_type": "consent_given", "user_id": "u002"}
    withdrawn = [{**said, "event_type": "consent_withdrawn", "user_id": user} for user in ("u001", "u002")]
    arrived = came(base, logged({}, *withdrawn, back, {"user_id": "u003"}))
    assert arrived.withdrawn == ("u001",)
    dataset, _ = continue_dataset(base, arrived, base.path, SHARE)
    allows = pl.read_parquet(dataset.table("events")).group_by("user_id").agg(pl.col("consent").any())
    told = dict(allows.rows())
    assert not told["u001"]
    assert told["u002"] and told["u003"]


def test_people_whom_the_table_of_users_lacks_get_a_row(base: Dataset, logged: Logged) -> None:
    users = pl.DataFrame({"user_id": ["u001"], "attributes": ["{}"]})
    users.write_parquet(base.path / "users.parquet")
    with_users = replace(base, rows={**base.rows, "users": 1}, rejected={**base.rejected, "users": 0})
    write_description(with_users)
    dataset, _ = continue_dataset(with_users, came(with_users, logged({}, {"user_id": "new"})), base.path, SHARE)
    assert pl.read_parquet(dataset.table("users"))["user_id"].to_list() == ["u001", "new"]


def test_hashed_ids_stay_said_to_be_hashed(base: Dataset, logged: Logged, tmp_path: Path) -> None:
    hashed = replace(base, person_ids="k1")
    write_description(hashed)
    dataset, _ = continue_dataset(hashed, came(hashed, logged({})), tmp_path / "next", SHARE)
    assert dataset.person_ids == "k1"
    assert open_dataset(tmp_path / "next").person_ids == "k1"
    assert continue_dataset(hashed, came(hashed, logged({})), tmp_path / "next", SHARE)[1]


def test_a_dataset_of_an_order_only_cannot_go_on(base: Dataset, logged: Logged) -> None:
    from endcap.dataset.layout import ORDER_ONLY

    with pytest.raises(DataRejected, match="its times say an order only"):
        came(replace(base, source=ORDER_ONLY), logged({}))


def test_a_log_that_is_not_there_adds_nothing(base: Dataset, tmp_path: Path) -> None:
    assert came(base, tmp_path / "none").are_none
