"""Visits that are watched, against a collector and a predict endpoint of the test's own."""

import asyncio
import json
import selectors
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from endcap_benchmarks.events.load.visits import Visit, VisitPlan, Watched
from endcap_benchmarks.events.load.watch import Watch
from endcap_benchmarks.serving.load.http_sender import HttpConnections, HttpSender

Answer = Callable[[dict[str, Any]], tuple[int, dict[str, Any]]]


class Endpoint:
    """Answers JSON requests."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def __aenter__(self) -> "Endpoint":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                status, answer = self._answer(json.loads(await reader.readexactly(length)))
                body = json.dumps(answer).encode()
                writer.write(f"HTTP/1.1 {status} made\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)


class Shop:
    """What a visit looked at leads its list after so many looks; every other look falls back when it is `frail`."""

    def __init__(self, looks: int = 2, *, takes: bool = True, follows: bool = True, frail: bool = False) -> None:
        self.events: list[dict[str, Any]] = []
        self._looks, self._takes, self._follows, self._frail = looks, takes, follows, frail
        self._since, self._asked = 0, 0

    def collect(self, event: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.events.append(event)
        self._since = 0
        return (200, {"accepted": 1, "duplicates": 0, "refused": []}) if self._takes else (503, {"error": "full"})

    def predict(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        assert asked["instances"][0] == {"surface": "search", "session_id": "v-1"}
        self._asked += 1
        if self._frail and self._asked % 2:
            return 200, _list(["other"], degraded=["rank"])
        self._since += 1
        known = len(self.events) if self._since >= self._looks else max(len(self.events) - 1, 0)
        return 200, _list([f"I{known if self._follows else 0}", "I9"])


def _list(items: list[str], degraded: list[str] | None = None) -> dict[str, Any]:
    return {"predictions": [{"degraded": degraded or [], "recommendations": [{"item_id": item} for item in items]}]}


def watched(shop: Shop, patience_s: float = 5.0) -> Watched:
    async def scenario() -> Watched:
        async with Endpoint(shop.collect) as collector, Endpoint(shop.predict) as predict:
            plan = VisitPlan(collector.port, predict.port, "endcap", {"surface": "search"}, [], 0.001, patience_s, 0.001)
            senders = HttpConnections(collector.port), HttpSender(predict.port, "endcap")
            found = await Watch(plan, *senders).visit(Visit(0.0, "v-1", ["tea", "salt"]))
            await asyncio.gather(*(sender.close() for sender in senders))
            return found

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        return runner.run(scenario())


def test_each_event_is_followed_until_the_list_is_another_one() -> None:
    shop = Shop(looks=3)
    found = watched(shop)
    assert [event["item_id"] for event in shop.events] == ["tea", "salt"]
    assert {event["session_id"] for event in shop.events} == {"v-1"}
    assert [probe.looks for probe in found.probes] == [3, 3]
    assert all(probe.is_accepted and probe.changed_ms > 0 for probe in found.probes)
    assert found.is_steady is True


def test_an_answer_that_fell_back_is_no_other_list() -> None:
    found = watched(Shop(looks=1, frail=True))
    assert [probe.degraded for probe in found.probes] == [1, 1]
    assert all(probe.changed_ms is not None for probe in found.probes)


def test_a_list_that_stays_is_a_probe_without_a_change() -> None:
    found = watched(Shop(follows=False), patience_s=0.01)
    assert [probe.changed_ms for probe in found.probes] == [None, None]
    assert all(probe.is_accepted for probe in found.probes)


def test_an_event_that_is_not_taken_is_not_followed() -> None:
    found = watched(Shop(takes=False))
    assert [(probe.is_accepted, probe.looks) for probe in found.probes] == [(False, 0), (False, 0)]


def test_a_visit_without_a_whole_list_sends_nothing() -> None:
    shop = Shop()
    shop.predict = lambda _: (429, {"error": "too many"})  # type: ignore[method-assign]
    assert watched(shop, patience_s=0.01) == Watched(has_list=False, probes=[], is_steady=None)
    assert shop.events == []
