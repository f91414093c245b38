"""The load process's loops against a small server of our own."""

import asyncio
import json
import selectors

import pytest

from endcap_benchmarks.serving.load.http_sender import HttpSender, raw_lists
from endcap_benchmarks.serving.load.load import _exchange
from endcap_benchmarks.serving.load.loops import Sent, ask, closed_loop, open_loop
from endcap_benchmarks.serving.load.plan import LoadPlan

BODY = json.dumps({"predictions": [{"timings_ms": {"rank": 1.5}, "degraded": ["rank"], "recommendations": [{}, {}]}]}).encode()


class Server:
    """Answers V1 calls; holds its answers back while `open` is not set."""

    def __init__(self, status: str = "200 OK", header: str = "") -> None:
        self.answer = f"HTTP/1.1 {status}\r\n{header}content-length: {len(BODY)}\r\n\r\n".encode() + BODY
        self.open = asyncio.Event()
        self.open.set()
        self.bodies: list[dict] = []
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> "Server":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def close_idle(self) -> None:
        """As a server does with connections that nobody used for a while."""
        for writer in self._writers:
            writer.close()
            await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            self.bodies.append(json.loads(await reader.readexactly(length)))
            await self.open.wait()
            half = len(self.answer) // 2
            writer.write(self.answer[:half])
            await writer.drain()
            writer.write(self.answer[half:])


def run(scenario):
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        return runner.run(scenario())


def plan(**changes) -> LoadPlan:
    given = {"protocol": "http", "port": 0, "model": "endcap", "instances": [{"k": 3}] * 5, "kinds": ["home"] * 5}
    return LoadPlan(**given | changes)


def test_answers_are_read_whole_and_connections_are_kept() -> None:
    async def scenario() -> None:
        async with Server() as server:
            sender = HttpSender(server.port, "endcap")
            await sender.open(1)
            for _ in range(3):
                answer = await sender.send(sender.prepared({"k": 3}))
                assert raw_lists(answer)[0]["timings_ms"] == {"rank": 1.5}
            assert len(sender._idle) == 1
            assert server.bodies == [{"instances": [{"k": 3}]}] * 3
            await sender.close()

    run(scenario)


def test_a_connection_that_the_server_closed_meanwhile_is_not_asked_again() -> None:
    async def scenario() -> None:
        async with Server() as server:
            sender = HttpSender(server.port, "endcap")
            await sender.open(2)
            await sender.send(sender.prepared({}))
            await server.close_idle()
            async with asyncio.timeout(10):
                while any(connection.is_open for connection in sender._idle):  # noqa: ASYNC110 - what closes them is the loop itself
                    await asyncio.sleep(0)
                for _ in range(2):
                    assert (await sender.send(sender.prepared({}))).status == 200
            await sender.close()

    run(scenario)


def test_time_a_server_holds_everybody_up_counts_from_when_each_was_due() -> None:
    async def scenario() -> list:
        async with Server() as server:
            server.open.clear()
            sender = HttpSender(server.port, "endcap")
            await sender.open(2)
            asyncio.get_running_loop().call_later(0.1, server.open.set)
            return await open_loop(sender, [sender.prepared({})] * 5, [0.0, 0.02, 0.04, 0.06, 0.08], patience_s=5.0)

    sent = run(scenario)
    made = [_exchange(plan(), each) for each in sent]
    assert [each.due_s for each in made] == [0.0, 0.02, 0.04, 0.06, 0.08]
    for each, least_ms in zip(made, (95, 75, 55, 35, 15), strict=True):
        assert each.took_ms >= least_ms
    assert made[0].degraded == ["rank"] and made[0].items == 2


def test_a_request_that_is_never_answered_is_an_exchange_without_an_answer() -> None:
    async def scenario() -> list:
        async with Server() as server:
            server.open.clear()
            sender = HttpSender(server.port, "endcap")
            await sender.open(1)
            return await open_loop(sender, [sender.prepared({})] * 2, [0.0, 0.01], patience_s=0.1)

    made = [_exchange(plan(), each) for each in run(scenario)]
    assert [each.status for each in made] == [0, 0]
    assert all(each.done_s is None for each in made)


def test_a_closed_loop_starts_over_at_the_end_of_its_requests() -> None:
    async def scenario() -> tuple[list, int]:
        async with Server() as server:
            sender = HttpSender(server.port, "endcap")
            await sender.open(2)
            sent = await closed_loop(sender, [sender.prepared({"k": k}) for k in (1, 2, 3)], clients=2, seconds=0.1)
            return sent, len(server.bodies)

    sent, received = run(scenario)
    assert received == len(sent) > 3
    assert {each.number for each in sent} == {0, 1, 2}


@pytest.mark.parametrize(("header", "expected"), [("Retry-After: 1\r\n", True), ("", False)])
def test_a_refusal_says_whether_it_named_a_time_to_come_again(header, expected) -> None:
    async def scenario() -> list:
        async with Server("429 Too Many Requests", header) as server:
            sender = HttpSender(server.port, "endcap")
            await sender.open(1)
            return await open_loop(sender, [sender.prepared({})], [0.0], patience_s=5.0)

    made = _exchange(plan(), run(scenario)[0])
    assert (made.status, made.retry_after) == (429, expected)


def test_a_connection_that_breaks_is_an_exchange_without_an_answer() -> None:
    class Broken:
        async def send(self, request: bytes) -> None:
            raise ConnectionResetError("gone")

    sent = Sent(0, 0.0, 0.0)
    asyncio.run(ask(Broken(), b"", sent, 0.0))  # type: ignore[arg-type]
    exchange = _exchange(plan(), sent)
    assert (exchange.status, exchange.done_s) == (0, None)
