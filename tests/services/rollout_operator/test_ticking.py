"""The clockwork: it outlives failures, and no target waits for another."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from prometheus_client import CollectorRegistry

from endcap.contracts.rollout import RolloutSpec
from endcap.core.errors import DependencyUnavailable
from endcap.release.rollout.client import rollout_document
from endcap.release.rollout.resource import Rollout
from endcap_rollout_operator.metrics import OperatorMetrics
from endcap_rollout_operator.ticking import STUCK_S, Ticking
from tests.services.rollout_operator.state.made_world import START, made_spec
from tests.waiting import until_async

WITHIN_S = 20.0


class Listing:
    """What the clockwork needs of an API server: the list of Rollouts."""

    def __init__(self, *targets: str) -> None:
        self.targets = targets
        self.is_away = False
        self.asked = 0

    def list(self, kind: Any) -> list[dict[str, Any]]:
        self.asked += 1
        if self.is_away:
            raise DependencyUnavailable("the API server does not answer")
        return [document(target) for target in self.targets]


def document(target: str) -> dict[str, Any]:
    spec = RolloutSpec.model_validate(made_spec().model_dump() | {"target": target})
    made = rollout_document(f"{target}-2", spec)
    made["metadata"] |= {"namespace": "shop", "uid": target, "resourceVersion": "1", "creationTimestamp": "2026-11-24T12:00:00Z"}
    return made


class Looks:
    """Reconcilers that count, and hang or fail where a test wants it."""

    def __init__(self, act: Callable[[str], None] = lambda target: None) -> None:
        self.counts: dict[str, int] = {}
        self._act = act

    def reconcile(self, line: list[Rollout]) -> None:
        target = line[0].spec.target
        self.counts[target] = self.counts.get(target, 0) + 1
        self._act(target)


def ticking(listing: Listing, looks: Looks, registry: CollectorRegistry, clock: Callable[[], datetime] = lambda: START) -> Ticking:
    metrics = OperatorMetrics(registry)
    return Ticking(listing, lambda: looks, metrics, tick_s=0.01, clock=clock)  # type: ignore[arg-type, return-value]


async def run_until(clockwork: Ticking, holds: Callable[[], bool]) -> None:
    task = asyncio.create_task(clockwork.run())
    try:
        await until_async(holds, "the looks", WITHIN_S)
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_target_that_hangs_holds_up_no_other_and_is_said_to_be_stuck() -> None:
    released, now = threading.Event(), [datetime(2026, 11, 24, tzinfo=UTC)]
    looks = Looks(lambda target: (released.wait(WITHIN_S), None)[1] if target == "hangs" else None)
    clockwork = ticking(Listing("hangs", "works"), looks, CollectorRegistry(), lambda: now[0])
    task = asyncio.create_task(clockwork.run())
    await until_async(lambda: looks.counts.get("works", 0) > 5, "the looks", WITHIN_S)
    assert looks.counts["hangs"] == 1 and clockwork.stuck() == []
    now[0] += timedelta(seconds=STUCK_S + 1)
    assert "hangs" in clockwork.stuck()
    released.set()
    await until_async(lambda: looks.counts["hangs"] > 1, "the looks", WITHIN_S)
    task.cancel()
    await asyncio.wait([task])


async def test_an_api_server_that_is_away_is_asked_again() -> None:
    listing, looks, registry = Listing("endcap"), Looks(), CollectorRegistry()
    listing.is_away = True
    clockwork = ticking(listing, looks, registry)
    task = asyncio.create_task(clockwork.run())
    await until_async(lambda: listing.asked > 2, "the looks", WITHIN_S)
    assert looks.counts == {} and not task.done()
    assert (registry.get_sample_value("endcap_rollout_failures_total", {"what": "list"}) or 0) > 1
    listing.is_away = False
    await until_async(lambda: looks.counts.get("endcap", 0) > 0, "the looks", WITHIN_S)
    task.cancel()
    await asyncio.wait([task])


async def test_a_look_that_fails_in_an_unforeseen_way_is_counted_and_tried_again() -> None:
    def fail(target: str) -> None:
        raise RuntimeError("not foreseen")

    registry, looks = CollectorRegistry(), Looks(fail)
    await run_until(ticking(Listing("endcap"), looks, registry), lambda: looks.counts.get("endcap", 0) > 2)
    assert (registry.get_sample_value("endcap_rollout_failures_total", {"what": "unexpected"}) or 0) > 1


async def test_a_rollout_that_cannot_be_read_holds_up_no_other() -> None:
    class Damaged(Listing):
        def list(self, kind: Any) -> list[dict[str, Any]]:
            damaged = document("damaged")
            del damaged["spec"]["steps"]
            return [damaged, *super().list(kind)]

    registry, looks = CollectorRegistry(), Looks()
    await run_until(ticking(Damaged("endcap"), looks, registry), lambda: looks.counts.get("endcap", 0) > 0)
    assert (registry.get_sample_value("endcap_rollout_failures_total", {"what": "parse"}) or 0) > 0
