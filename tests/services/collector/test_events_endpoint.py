import asyncio
import errno
import gzip
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from endcap.contracts.event_type import EventType
from tests.endcap.events.sent_events import sent
from tests.services.collector.running_collector import NOW, running

VIEW = sent(EventType.PRODUCT_VIEW, NOW)


def views(count: int) -> list[dict[str, Any]]:
    return [sent(EventType.PRODUCT_VIEW, NOW, str(number)) for number in range(count)]


def lines(events: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(event) + "\n" for event in events).encode()


@pytest.mark.parametrize("kind", EventType)
async def test_every_documented_example_is_taken(tmp_path: Path, kind: EventType) -> None:
    async with running(tmp_path) as collector:
        answer = await collector.send(sent(kind, NOW), "transformer-key" if kind is EventType.IMPRESSION else "server-key")
        assert (answer.status_code, answer.json()) == (200, {"accepted": 1, "duplicates": 0, "refused": []})
        assert collector.stored()["event_type"].to_list() == [kind.value]


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (json.dumps(VIEW).encode(), "application/json"),
        (json.dumps(VIEW, indent=2).encode(), "text/plain;charset=UTF-8"),
        (json.dumps(views(3)).encode(), "application/json; charset=utf-8"),
        (json.dumps(views(3)).encode(), "text/plain"),
        (lines(views(3)), "application/x-ndjson"),
        (lines(views(3)), "text/plain"),
        (lines(views(1)), "text/plain"),
    ],
)
async def test_one_event_a_list_and_lines_are_taken(tmp_path: Path, body: bytes, media: str) -> None:
    async with running(tmp_path) as collector:
        answer = await collector.send(body, headers={"content-type": media})
        assert answer.status_code == 200, answer.text
        assert answer.json()["accepted"] == len(collector.stored()) == (3 if b"}" in body[:-5] and body.count(b"event_id") == 3 else 1)


async def test_a_packed_body_is_unpacked(tmp_path: Path) -> None:
    async with running(tmp_path) as collector:
        answer = await collector.send(
            gzip.compress(lines(views(5))), headers={"content-type": "application/x-ndjson", "content-encoding": "gzip"}
        )
        assert answer.json()["accepted"] == 5


async def test_what_is_wrong_is_refused_alone_and_kept(tmp_path: Path) -> None:
    events = views(4)
    events[1] |= {"colour": "red"}
    events[3] |= {"occurred_at": (NOW - timedelta(days=2)).isoformat()}
    async with running(tmp_path) as collector:
        answer = (await collector.send(events)).json()
        assert (answer["accepted"], [refused["index"] for refused in answer["refused"]]) == (2, [1, 3])
        assert [(refused["kind"], refused["field"]) for refused in answer["refused"]] == [
            ("field_refused", "colour"),
            ("too_late", "occurred_at"),
        ]
        letters = collector.letters()
        assert letters["kind"].to_list() == ["field_refused", "too_late"]
        assert letters["field"].to_list() == [None, "occurred_at"]
        assert len(collector.stored()) == 2


@pytest.mark.parametrize(
    ("body", "headers", "status", "kind"),
    [
        (b"{", {}, 400, "payload_broken"),
        (b"", {}, 400, "payload_broken"),
        (b"[]", {}, 400, "payload_broken"),
        (b"[1,2", {}, 400, "payload_broken"),
        (b"\xff", {}, 400, "payload_broken"),
        (b"no gzip", {"content-encoding": "gzip"}, 400, "payload_broken"),
        (gzip.compress(b"{}", mtime=0)[:-3], {"content-encoding": "gzip"}, 400, "payload_broken"),
        (gzip.compress(b"{}", mtime=0) + b"{}", {"content-encoding": "gzip"}, 400, "payload_broken"),
        (b"[" + b"1," * 1_000 + b"1]", {}, 413, "over_limit"),
        (b" " * 1_048_577, {}, 413, "over_limit"),
        (gzip.compress(b"\x00" * 50_000_000, mtime=0), {"content-encoding": "gzip"}, 413, "over_limit"),
        (b"{}", {"content-encoding": "br"}, 415, None),
        (b"{}", {"content-type": "application/xml"}, 415, None),
        (b"{}", {"content-type": "application/json; charset=utf-16"}, 415, None),
    ],
    ids=["brace", "empty", "no-event", "cut", "bytes", "no-gzip", "cut-gzip", "two", "many", "long", "zeros", "br", "xml", "utf-16"],
)
async def test_a_body_that_cannot_be_taken_apart_is_refused_whole(
    tmp_path: Path, body: bytes, headers: dict[str, str], status: int, kind: str | None
) -> None:
    async with running(tmp_path) as collector:
        answer = await collector.send(body, headers=headers)
        assert answer.status_code == status, answer.text
        if kind is not None and body:
            assert collector.letters()["kind"].to_list() == [kind]
        assert collector.stored().is_empty()


async def test_an_event_that_is_sent_again_is_stored_once(tmp_path: Path) -> None:
    async with running(tmp_path) as collector:
        first = (await collector.send([VIEW, VIEW])).json()
        again = (await collector.send({**VIEW, "sent_at": NOW.isoformat()})).json()
        assert (first["accepted"], first["duplicates"]) == (1, 1)
        assert (again["accepted"], again["duplicates"]) == (0, 1)
        assert len(collector.stored()) == 1


async def test_an_event_is_known_again_after_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path) as collector:
        await collector.send(VIEW)
    async with running(tmp_path) as collector:
        assert (await collector.send(VIEW)).json()["duplicates"] == 1
        other = await collector.send({**VIEW, "item_id": "other"})
        assert (other.status_code, other.json()["refused"][0]["field"]) == (400, "event_id")
        assert collector.letters()["kind"].to_list() == ["field_refused"]


async def test_the_same_id_with_other_content_is_a_dead_letter(tmp_path: Path) -> None:
    async with running(tmp_path) as collector:
        answer = (await collector.send([VIEW, {**VIEW, "item_id": "other"}])).json()
        assert (answer["accepted"], answer["refused"][0]["index"], answer["refused"][0]["field"]) == (1, 1, "event_id")


async def test_a_full_disk_is_503_and_an_event_may_be_sent_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    async with running(tmp_path) as collector:
        with monkeypatch.context() as full:
            full.setattr("endcap.events.log.writer.os.write", refuse)
            full.setattr("endcap.events.log.durable.os.fsync", refuse)
            answers = await asyncio.gather(collector.send(VIEW), collector.send(VIEW))
            assert [(answer.status_code, answer.headers["retry-after"]) for answer in answers] == [(503, "5")] * 2
            assert (await collector.client.get("/readyz")).status_code == 503
            assert (await collector.send(b"{")).status_code == 503
        assert (await collector.send(VIEW)).json()["accepted"] == 1
        assert (await collector.client.get("/readyz")).json() == {"ready": True}


async def test_a_body_that_does_not_come_is_cut_at_its_deadline(tmp_path: Path) -> None:
    never = asyncio.Event()

    async def trickle():  # type: ignore[no-untyped-def]
        yield b"{"
        await never.wait()

    async with running(tmp_path, body_seconds=0.01) as collector:
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/events",
            "query_string": b"",
            "headers": [(b"authorization", b"Bearer server-key")],
        }
        messages: list[dict[str, Any]] = []
        chunks = trickle()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": await anext(chunks), "more_body": True}

        async def send(message: Any) -> None:
            messages.append(message)

        await collector.client._transport.app(scope, receive, send)  # type: ignore[attr-defined]
        assert messages[0]["status"] == 408
        assert (b"connection", b"close") in messages[0]["headers"]


async def test_more_requests_than_may_be_in_work_are_503(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, requests_max=1) as collector:
        waiting, goes_on = asyncio.Event(), asyncio.Event()
        write = collector.parts.events.write

        async def held(content: bytes) -> None:
            waiting.set()
            await goes_on.wait()
            await write(content)

        monkeypatch.setattr(collector.parts.events, "write", held)
        first = asyncio.create_task(collector.send(VIEW))
        await waiting.wait()
        second = await collector.send(VIEW)
        goes_on.set()
        assert (second.status_code, second.headers["retry-after"]) == (503, "5")
        assert (await first).status_code == 200


async def test_without_analytics_nothing_on_disk_says_who_it_was(tmp_path: Path) -> None:
    async with running(tmp_path) as collector:
        event = sent(EventType.PAGE_VIEW, NOW, user_id="u-secret", session_id="s-secret", consent_analytics=False)
        await collector.send([event, {**event, "colour": "red", "query": "q-secret"}])
        assert len(collector.letters()) == 1
        assert b"secret" not in collector.written()


async def test_requests_and_events_are_counted(tmp_path: Path) -> None:
    async with running(tmp_path) as collector:
        await collector.send([*views(2), {}])
        await collector.send(VIEW, "wrong")
        page = (await collector.client.get("/metrics")).text
        assert 'endcap_collector_events_accepted_total{event_type="product_view"} 2.0' in page
        assert 'endcap_collector_events_refused_total{kind="field_refused"} 1.0' in page
        assert 'endcap_collector_requests_total{path="/v1/events",status="401"} 1.0' in page
        assert {described.name for described in collector.parts.metrics.described} <= {
            line.split()[2] for line in page.splitlines() if line.startswith("# TYPE")
        }


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/v1/events", 405), ("POST", "/v1/pixel", 405), ("GET", "/v2", 404), ("GET", "/healthz", 200)]
)
async def test_other_methods_and_paths_are_answered_as_such(tmp_path: Path, method: str, path: str, status: int) -> None:
    async with running(tmp_path) as collector:
        assert (await collector.client.request(method, path)).status_code == status
