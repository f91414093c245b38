"""Overload in virtual time: a model server that computes one list after the other, and requests that come whether it keeps up or not."""

import asyncio
import random
from dataclasses import dataclass

import grpc
import grpc.aio
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc
from prometheus_client import CollectorRegistry

from endcap.core.settings import ResilienceSettings
from endcap_transformer.resilience.admission import (
    LAG_LOOK_S,
    PLACE_WAIT_SHARE_OF_BUDGET,
    SPARE_A_SECOND,
    SPARE_MAX,
    WAIT_SHARE_MAX,
    Admission,
    LoopLag,
    Overloaded,
    from_memory,
)
from endcap_transformer.resilience.concurrency_limit import LIMIT_START, ConcurrencyLimit
from endcap_transformer.server.admission_layers import GrpcAdmission, HttpAdmission
from endcap_transformer.telemetry.metrics import ServingMetrics
from tests.transformers.virtual_time import run_virtual, virtual_loop

BUDGET_MS = 50
CALLS_UNTIL_MS = 0.9 * BUDGET_MS
SERVICE_S = 0.009
OWN_S = 0.001
REFUSAL_S = 0.00006
FROM_MEMORY_S = 0.0002
CAPACITY = 1 / SERVICE_S
WAITING = ResilienceSettings().in_flight_max


class Everything(ConcurrencyLimit):
    """Admits whatever comes, for comparison."""

    places = 10**9


@dataclass(frozen=True)
class Outcome:
    """Requests a second and times of those that were accepted."""

    goodput: float
    accepted: float
    refused: int
    p99_ms: float


async def offered(rate: float, seconds: float = 10, *, protected: bool = True) -> Outcome:
    """Open loop: requests come at random times, and their time counts from then."""
    loop, chance = virtual_loop(), random.Random(20_171_204)
    metrics = ServingMetrics(CollectorRegistry())
    lag = LoopLag(metrics.event_loop_lag.observe, loop.time)
    lag.start()
    limit = (ConcurrencyLimit if protected else Everything)(64, loop.time)
    admission = Admission(ResilienceSettings(), BUDGET_MS, metrics, lag, limit, loop.time)
    model_server, took, refused = asyncio.Lock(), [], 0

    async def request() -> None:
        nonlocal refused
        came = loop.time()
        await asyncio.sleep(0)
        try:
            async with admission.admitted("http", came):
                if from_memory(1):
                    loop.busy(FROM_MEMORY_S)
                    return
                began = limit.begin()
                loop.busy(OWN_S / 2)
                async with model_server:
                    await asyncio.sleep(SERVICE_S * chance.uniform(0.5, 1.5))
                loop.busy(OWN_S / 2)
                limit.ended(began, in_time=loop.time() - came <= CALLS_UNTIL_MS / 1000)
        except Overloaded:
            loop.busy(REFUSAL_S)
            refused += 1
        else:
            took.append(loop.time() - came)

    requests, at = [], 0.0
    while at < seconds:
        at += chance.expovariate(rate)
        loop.call_at(at, lambda: requests.append(loop.create_task(request())))
    await asyncio.sleep(at)
    await asyncio.gather(*requests)
    lag.stop()
    took.sort()
    good = sum(each <= BUDGET_MS / 1000 for each in took)
    return Outcome(good / seconds, len(took) / seconds, refused, 1000 * took[int(0.99 * len(took))])


def test_goodput_stays_flat_at_three_times_what_can_be_carried() -> None:
    carried, thrice = run_virtual(offered(0.9 * CAPACITY)), run_virtual(offered(3 * CAPACITY))
    assert thrice.goodput >= 0.9 * CAPACITY
    assert thrice.goodput >= carried.goodput
    assert thrice.p99_ms <= 1.2 * BUDGET_MS  # this handler has no stages that would be cut short at the deadline
    assert thrice.goodput >= 0.97 * thrice.accepted


def test_without_admission_goodput_falls_to_nothing() -> None:
    assert run_virtual(offered(3 * CAPACITY, protected=False)).goodput < 0.1 * CAPACITY


def test_nobody_is_turned_away_at_a_comfortable_load() -> None:
    outcome = run_virtual(offered(0.3 * CAPACITY, 30))
    assert outcome.refused == 0


class Steady:
    lagging = False

    def persists(self, now: float) -> bool:
        return self.lagging


class Door:
    """An admission in virtual time and what it counted."""

    def __init__(self, **limits: int) -> None:
        self.registry = CollectorRegistry()
        self.lag = Steady()
        settings, clock = ResilienceSettings(**limits), virtual_loop().time
        self.limit = ConcurrencyLimit(settings.in_flight_max, clock)
        self.admission = Admission(settings, BUDGET_MS, ServingMetrics(self.registry), self.lag, self.limit, clock)

    def value(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels)

    async def hold(self, number: int) -> list:
        held = [self.admission.admitted("http") for _ in range(number)]
        for each in held:
            await each.__aenter__()
        return held


async def turned_away(door: Door, arrived: float | None = None) -> bool:
    try:
        async with door.admission.admitted("http", arrived):
            return from_memory(1)
    except Overloaded:
        return True


def test_of_hundreds_in_one_turn_of_the_loop_the_first_few_are_taken_and_the_last_of_those_who_wait() -> None:
    async def main() -> None:
        door = Door()

        async def request() -> str:
            try:
                async with door.admission.admitted("http", virtual_loop().time()):
                    if from_memory(1):
                        return "from memory"
                    await asyncio.sleep(0.01)
            except Overloaded:
                return "refused"
            return "taken"

        outcomes = await asyncio.gather(*(request() for _ in range(200)))
        first, spare = int(LIMIT_START), int(SPARE_MAX)
        waited = range(first + WAITING - first, first + WAITING)
        assert [place for place, outcome in enumerate(outcomes) if outcome == "taken"] == [*range(first), *waited]
        assert outcomes.count("from memory") == door.value("endcap_spare_lists_total") == spare
        assert door.value("endcap_shed_total", protocol="http") == 200 - 2 * first - spare
        assert door.value("endcap_in_flight_requests") == 0
        assert door.value("endcap_concurrency_limit") == LIMIT_START

    run_virtual(main())


def test_who_waits_in_vain_is_turned_away_while_there_is_still_time_for_another_try() -> None:
    async def main() -> None:
        door = Door(in_flight_max=1)
        held = await door.hold(1)
        assert await turned_away(door)
        assert virtual_loop().time() == pytest.approx(PLACE_WAIT_SHARE_OF_BUDGET * BUDGET_MS / 1000)
        assert await turned_away(door, arrived=0.0)
        assert virtual_loop().time() == pytest.approx(PLACE_WAIT_SHARE_OF_BUDGET * BUDGET_MS / 1000)
        await held[0].__aexit__(None, None, None)
        assert not await turned_away(door)

    run_virtual(main())


async def taken(door: Door) -> str:
    try:
        async with door.admission.admitted("http"):
            return "from memory" if from_memory(1) else "taken"
    except Overloaded:
        return "refused"


def test_who_finds_no_place_gets_a_list_from_memory_as_often_a_second_as_that_leaves_others_their_time() -> None:
    async def main() -> None:
        door = Door(in_flight_max=1)
        held, spare = await door.hold(1), int(SPARE_MAX)
        at_once = await asyncio.gather(*(taken(door) for _ in range(spare + 2)))
        assert sorted(at_once) == ["from memory"] * spare + ["refused"] * 2
        assert door.value("endcap_spare_lists_total") == spare
        assert door.value("endcap_shed_total", protocol="http") == 2
        assert door.value("endcap_in_flight_requests") == 1
        await asyncio.sleep(3 / SPARE_A_SECOND)
        assert [await taken(door) for _ in range(4)] == ["from memory"] * 3 + ["refused"]
        await held[0].__aexit__(None, None, None)

    run_virtual(main())


def test_a_page_of_many_lists_from_memory_is_taken_off_those_to_come() -> None:
    async def main() -> None:
        door = Door(in_flight_max=1)
        held = await door.hold(1)
        async with door.admission.admitted("http"):
            assert from_memory(int(SPARE_MAX) + 2)
        assert await taken(door) == "refused"
        await asyncio.sleep(4 / SPARE_A_SECOND)
        assert await taken(door) == "from memory"
        await held[0].__aexit__(None, None, None)

    run_virtual(main())


def test_the_more_wait_the_longer_who_comes_is_kept_and_none_for_longer_than_the_budget() -> None:
    async def main() -> None:
        door, loop = Door(), virtual_loop()
        held, kept = await door.hold(int(LIMIT_START)), []

        async def wait() -> None:
            came = loop.time()
            outcome = await taken(door)
            kept.append(loop.time() - came)
            if outcome == "from memory":
                assert kept[-1] <= PLACE_WAIT_SHARE_OF_BUDGET * BUDGET_MS / 1000 + 1e-9  # its list shall be in time

        waiting = []
        for _ in range(20):
            waiting.append(loop.create_task(wait()))
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)
        assert kept == sorted(kept)
        assert kept[0] == pytest.approx(PLACE_WAIT_SHARE_OF_BUDGET * BUDGET_MS / 1000)
        assert kept[-1] == pytest.approx(WAIT_SHARE_MAX * BUDGET_MS / 1000)
        for each in held:
            await each.__aexit__(None, None, None)

    run_virtual(main())


def test_a_place_that_comes_too_late_for_a_whole_list_is_left_to_who_comes_next() -> None:
    async def main() -> None:
        door, loop = Door(in_flight_max=1), virtual_loop()
        for _ in range(40):
            began = door.limit.begin()
            await asyncio.sleep(0.042)
            door.limit.ended(began, in_time=True)
        held = await door.hold(1)
        waiting = loop.create_task(turned_away(door))
        await asyncio.sleep(0.01)
        await held[0].__aexit__(None, None, None)
        assert not await turned_away(door)
        assert await waiting
        assert door.admission.in_flight == 0

    run_virtual(main())


@pytest.mark.parametrize("got_place", [False, True])
def test_who_goes_while_waiting_takes_no_place_along(got_place: bool) -> None:
    async def main() -> None:
        door = Door(in_flight_max=1)
        held = await door.hold(1)
        waiting = virtual_loop().create_task(turned_away(door))
        await asyncio.sleep(0)
        if got_place:
            await held[0].__aexit__(None, None, None)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        if not got_place:
            await held[0].__aexit__(None, None, None)
        assert door.admission.in_flight == 0
        assert not await turned_away(door)

    run_virtual(main())


def test_places_are_never_more_than_configured() -> None:
    async def main() -> None:
        door = Door(in_flight_max=3)
        held = await door.hold(3)
        assert await turned_away(door)
        await held[0].__aexit__(None, None, None)
        assert not await turned_away(door)

    run_virtual(main())


def test_a_request_that_waited_is_turned_away_only_while_the_loop_does_not_keep_up() -> None:
    async def main() -> None:
        door = Door()
        await asyncio.sleep(1)
        assert not await turned_away(door, arrived=0.97)
        door.lag.lagging = True
        assert await turned_away(door, arrived=0.97)
        assert not await turned_away(door, arrived=0.99)

    run_virtual(main())


async def held_up(seconds: float) -> None:
    """The loop computes, then runs the timers that are due."""
    virtual_loop().busy(seconds)
    for _ in range(2):
        await asyncio.sleep(0)


def test_one_hiccup_of_the_loop_is_no_overload_and_lasting_lag_is() -> None:
    async def main() -> None:
        loop, seen = virtual_loop(), []
        lag = LoopLag(seen.append, loop.time)
        assert not lag.persists(loop.time())
        lag.start()
        await asyncio.sleep(0.1)
        await held_up(0.08)
        assert not lag.persists(loop.time())
        assert max(seen) == pytest.approx(0.08 - LAG_LOOK_S)
        for _ in range(6):
            await held_up(0.03)
        assert lag.persists(loop.time())
        await asyncio.sleep(0.05)
        assert not lag.persists(loop.time())
        lag.stop()

    run_virtual(main())


async def http_status(door: Door, path: str, method: str = "POST") -> tuple[int, dict[bytes, bytes]]:
    sent = []

    async def app(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message) -> None:
        sent.append(message)

    await HttpAdmission(app, door.admission)({"type": "http", "method": method, "path": path, "state": {}}, None, send)
    return sent[0]["status"], dict(sent[0]["headers"])


def test_over_http_the_answer_is_429_and_says_when_to_come_back() -> None:
    async def main() -> None:
        door = Door(in_flight_max=1, retry_after_seconds=3)
        assert (await http_status(door, "/v2/models/endcap/infer"))[0] == 200
        held = await door.hold(1)
        await asyncio.gather(*(taken(door) for _ in range(int(SPARE_MAX))))
        status, headers = await http_status(door, "/v2/models/endcap/infer")
        assert (status, headers[b"retry-after"]) == (429, b"3")
        for path, method in (
            ("/v2/health/ready", "GET"),
            ("/v2/health/live", "GET"),
            ("/metrics", "GET"),
            ("/v1/models/endcap", "GET"),
            ("/v2/models/endcap", "GET"),
            ("/v2/repository/models/endcap/load", "POST"),
        ):
            assert (await http_status(door, path, method))[0] == 200
        assert len(held) == 1

    run_virtual(main())


class Servicer(grpc_predict_v2_pb2_grpc.GRPCInferenceServiceServicer):
    async def ModelInfer(self, request, context):  # noqa: N802 - the service's name
        return pb.ModelInferResponse(model_name=request.model_name)

    async def ServerLive(self, request, context):  # noqa: N802
        return pb.ServerLiveResponse(live=True)


async def test_over_grpc_it_is_resource_exhausted_with_the_time_to_wait() -> None:
    settings, metrics = ResilienceSettings(in_flight_max=1), ServingMetrics(CollectorRegistry())
    admission = Admission(settings, BUDGET_MS, metrics, Steady(), ConcurrencyLimit(1), lambda: 0.0)
    server = grpc.aio.server(interceptors=(GrpcAdmission(admission),))
    grpc_predict_v2_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(Servicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = grpc_predict_v2_pb2_grpc.GRPCInferenceServiceStub(channel)
        request = pb.ModelInferRequest(model_name="endcap")
        assert (await stub.ModelInfer(request)).model_name == "endcap"
        async with admission.admitted("grpc"):
            for _ in range(int(SPARE_MAX)):
                assert (await stub.ModelInfer(request)).model_name == "endcap"
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.ModelInfer(request)
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert dict(caught.value.trailing_metadata())["grpc-retry-pushback-ms"] == "1000"
            assert (await stub.ServerLive(pb.ServerLiveRequest())).live
    await server.stop(None)
