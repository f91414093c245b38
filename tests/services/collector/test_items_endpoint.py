import asyncio
import errno
import gzip
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.services.collector.running_collector import NOW, SHOP, running

PRICE: dict[str, Any] = {"item_id": "tea", "price": 3.9, "availability": "in_stock"}
WHOLE: dict[str, Any] = {"item_id": "cup", "title": "Cup", "category_path": ["Kitchen"], "price": 7, "attributes": {"colour": "blue"}}


async def test_updates_and_whole_items_are_on_disk_when_they_are_answered(tmp_path: Path) -> None:
    async with running(tmp_path) as collector:
        answer = await collector.put([PRICE, WHOLE])
        assert (answer.status_code, answer.json()) == (200, {"accepted": 2, "refused": []})
        update, whole = collector.changes().to_dicts()
        assert (update["item_id"], update["price"], update["availability"], update["item"]) == ("tea", 3.9, "in_stock", None)
        assert (whole["price"], whole["availability"]) == (7.0, "in_stock"), "a whole item says its price and stock too"
        assert json.loads(whole["item"]) == WHOLE | {"price": 7.0, "availability": "in_stock"}
        assert {update["updated_at"], whole["updated_at"], update["received_at"]} == {NOW}
        assert update["change_id"] != whole["change_id"]


@pytest.mark.parametrize(
    ("body", "media", "count"),
    [
        (json.dumps(PRICE).encode(), "application/json", 1),
        (json.dumps([PRICE, PRICE], indent=1).encode(), "application/json; charset=utf-8", 2),
        ("".join(json.dumps(each) + "\n" for each in (PRICE, WHOLE, PRICE)).encode(), "application/x-ndjson", 3),
    ],
)
async def test_one_item_a_list_and_lines_are_taken_packed_or_not(tmp_path: Path, body: bytes, media: str, count: int) -> None:
    async with running(tmp_path) as collector:
        assert (await collector.put(body, headers={"content-type": media})).json()["accepted"] == count
        packed = {"content-type": media, "content-encoding": "gzip"}
        assert (await collector.put(gzip.compress(body), headers=packed)).json()["accepted"] == count
        assert len(collector.changes()) == 2 * count


@pytest.mark.parametrize(
    ("item", "field", "reason"),
    [
        ({"price": 1}, "item_id", "missing"),
        ({"item_id": "undefined", "price": 1}, "item_id", "stands for no id"),
        ({"item_id": "a", "price": "1"}, "price", "valid number"),
        ({"item_id": "a", "price": -1}, "price", "greater than or equal to 0"),
        ({"item_id": "a", "availability": "soon"}, "availability", "Input should be"),
        ({"item_id": "a", "colour": "red"}, "colour", "no field of the contract"),
        ({"item_id": "a", "brand": "Leaf"}, "brand", "a whole item has title and category_path"),
        (WHOLE | {"trend": 1}, "trend", "send it as an update of its own"),
        ({"item_id": "a", "title": "A"}, "category_path", "missing"),
        (WHOLE | {"attributes": {"size": 1}}, "attributes.size", "valid string"),
        ({"item_id": "a", "price": 1, "updated_at": "2026-03-01T08:00:00"}, "updated_at", "zone"),
        ({"item_id": "a", "price": 1, "updated_at": "2026-03-01T08:06:00Z"}, "updated_at", "five minutes ahead"),
        ({"item_id": "a"}, None, "nothing changes"),
        ({"item_id": "a", "price": None}, None, "nothing changes"),
        ("tea", None, "JSON object"),
    ],
)
async def test_what_is_wrong_with_an_item_is_said_and_the_others_are_taken(
    tmp_path: Path, item: Any, field: str | None, reason: str
) -> None:
    async with running(tmp_path) as collector:
        answer = await collector.put([PRICE, item])
        assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
        (refused,) = answer.json()["refused"]
        assert (refused["index"], refused.get("field")) == (1, field)
        assert reason in refused["reason"]
        assert (await collector.put(item)).status_code == 400
        assert collector.changes()["item_id"].to_list() == ["tea"]
        assert collector.parts.registry.get_sample_value("endcap_collector_items_refused_total") == 2


async def test_the_moment_is_the_senders_or_that_of_the_arrival_and_never_later(tmp_path: Path) -> None:
    async with running(tmp_path) as collector:
        given = [None, "2026-02-01T00:00:00Z", "2026-03-01T08:04:00Z"]
        await collector.put([PRICE | {"updated_at": moment} for moment in given])
        assert collector.changes()["updated_at"].to_list() == [NOW, NOW - timedelta(days=28, hours=8), NOW]


@pytest.mark.parametrize(
    ("key", "status"),
    [
        ("server-key", 200),
        ("catalogue-key", 200),
        ("purchase-key", 403),
        ("browser-key", 403),
        ("transformer-key", 403),
        ("backfill-key", 403),
        ("old-key", 401),
        (None, 401),
    ],
)
async def test_server_and_catalogue_keys_change_items_and_no_others(tmp_path: Path, key: str | None, status: int) -> None:
    async with running(tmp_path) as collector:
        answer = await collector.put(PRICE, key, headers={"origin": SHOP} if key == "browser-key" else {})
        assert answer.status_code == status
        assert len(collector.changes()) == (status == 200)


async def test_a_catalogue_key_sends_no_events(tmp_path: Path) -> None:
    async with running(tmp_path) as collector:
        answer = await collector.send({"event_type": "page_view"}, "catalogue-key")
        assert answer.status_code in (400, 403)
        assert collector.stored().is_empty()


async def test_its_own_machine_needs_no_key_and_a_page_may_not(tmp_path: Path) -> None:
    async with running(tmp_path, keyed=False) as collector:
        assert (await collector.put(PRICE, None)).status_code == 200
        assert (await collector.put(PRICE, None, headers={"origin": "http://localhost:3000"})).status_code == 403


async def test_limits_are_those_of_events(tmp_path: Path) -> None:
    async with running(tmp_path, events_max=3, body_max_bytes=2_000) as collector:
        assert (await collector.put([PRICE] * 4)).status_code == 413
        assert (await collector.put([WHOLE | {"title": "x" * 2_000}])).status_code == 413
        assert (await collector.put(b"[", headers={"content-type": "application/json"})).status_code == 400
        assert (await collector.put([])).status_code == 400
        assert (await collector.put(b"\xff", headers={"content-type": "application/json"})).status_code == 400
        assert (await collector.put(PRICE, headers={"content-type": "text/plain"})).status_code == 415
        assert (await collector.client.post("/v1/items", content=b"{}")).status_code == 405
        answer = await collector.put([PRICE] * 3, "slow-key")
        assert answer.status_code == 200
        answer = await collector.put([PRICE] * 3, "slow-key")
        assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (429, True)
        assert len(collector.changes()) == 3


async def test_a_disk_that_refuses_is_503_and_nothing_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async with running(tmp_path) as collector:
        with monkeypatch.context() as patched:
            patched.setattr("endcap.events.log.writer.LogFile.append_synced", full)
            answer = await collector.put(PRICE)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert collector.changes().is_empty()
        assert (await collector.put(PRICE)).status_code == 200
        assert len(collector.changes()) == 1


async def test_requests_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    async with running(tmp_path) as collector:
        answers = await asyncio.gather(*(collector.put([PRICE | {"item_id": f"i{number}"}]) for number in range(20)))
        assert {answer.status_code for answer in answers} == {200}
        assert sorted(collector.changes()["item_id"]) == sorted(f"i{number}" for number in range(20))
