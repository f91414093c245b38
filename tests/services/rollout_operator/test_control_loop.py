"""The control loop: it outlives failures, and no target waits for another."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from prometheus_client import CollectorRegistry

from endcap.contracts.rollout import Phase, RolloutSpec, RolloutStatus
from endcap.core.errors import DependencyUnavailable
from endcap.release.rollout.client import rollout_document
from endcap.release.rollout.resource import Rollout
from endcap_rollout_operator.control_loop import STUCK_S, ControlLoop, queues
from endcap_rollout_operator.metrics import OperatorMetrics
from tests.services.rollout_operator.state.made_cluster import START, made_rollout, made_spec
from tests.waiting import until_async

WITHIN_S = 20.0


class Listing:
    """What the control loop needs of an API server: the list of Rollouts."""

    def __init__(self, *targets: str) -> None:
        self.targets = targets
        self.is_away = False
        self.calls = 0

    def list(self, kind: Any) -> list[dict[str, Any]]:
        self.calls += 1
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

    def reconcile(self, queue: list[Rollout]) -> None:
        target = queue[0].spec.target
        self.counts[target] = self.counts.get(target, 0) + 1
        self._act(target)


def control_loop(listing: Listing, looks: Looks, registry: CollectorRegistry, clock: Callable[[], datetime] = lambda: START) -> ControlLoop:
    metrics = OperatorMetrics(registry)
    return ControlLoop(listing, lambda: looks, metrics, tick_s=0.01, clock=clock)  # type: ignore[arg-type, return-value]


async def run_until(loop: ControlLoop, holds: Callable[[], bool]) -> None:
    task = asyncio.create_task(loop.run())
    try:
        await until_async(holds, "the looks", WITHIN_S)
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_target_that_hangs_holds_up_no_other_and_is_said_to_be_stuck() -> None:
    released, now = threading.Event(), [datetime(2026, 11, 24, tzinfo=UTC)]
    looks = Looks(lambda target: (released.wait(WITHIN_S), None)[1] if target == "hangs" else None)
    loop = control_loop(Listing("hangs", "works"), looks, CollectorRegistry(), lambda: now[0])
    task = asyncio.create_task(loop.run())
    await until_async(lambda: looks.counts.get("works", 0) > 5, "the looks", WITHIN_S)
    assert looks.counts["hangs"] == 1 and loop.stuck() == []
    now[0] += timedelta(seconds=STUCK_S + 1)
    assert "hangs" in loop.stuck()
    released.set()
    await until_async(lambda: looks.counts["hangs"] > 1, "the looks", WITHIN_S)
    task.cancel()
    await asyncio.wait([task])


async def test_an_api_server_that_is_away_is_tried_again() -> None:
    listing, looks, registry = Listing("endcap"), Looks(), CollectorRegistry()
    listing.is_away = True
    loop = control_loop(listing, looks, registry)
    task = asyncio.create_task(loop.run())
    await until_async(lambda: listing.calls > 2, "the looks", WITHIN_S)
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
    await run_until(control_loop(Listing("endcap"), looks, registry), lambda: looks.counts.get("endcap", 0) > 2)
    assert (registry.get_sample_value("endcap_rollout_failures_total", {"what": "unexpected"}) or 0) > 1


async def test_a_rollout_that_cannot_be_read_holds_up_no_other() -> None:
    class Damaged(Listing):
        def list(self, kind: Any) -> list[dict[str, Any]]:
            damaged = document("damaged")
            del damaged["spec"]["steps"]
            return [damaged, *super().list(kind)]

    registry, looks = CollectorRegistry(), Looks()
    await run_until(control_loop(Damaged("endcap"), looks, registry), lambda: looks.counts.get("endcap", 0) > 0)
    assert (registry.get_sample_value("endcap_rollout_failures_total", {"what": "parse"}) or 0) > 0


LATER = START + timedelta(seconds=1)


def test_the_oldest_is_first_and_names_settle_a_tie() -> None:
    rollouts = [made_rollout(name="c", created_at=LATER), made_rollout(name="b"), made_rollout(name="a")]
    assert [each.name for each in queues(rollouts)["endcap"]] == ["a", "b", "c"]


def test_one_that_has_begun_stays_before_all_that_have_not() -> None:
    begun = made_rollout(name="b", status=RolloutStatus(phase=Phase.PROGRESSING))
    rollouts = [made_rollout(name="a", status=RolloutStatus(phase=Phase.WAITING)), begun]
    assert [each.name for each in queues(rollouts)["endcap"]] == ["b", "a"]


def test_targets_do_not_wait_for_each_other() -> None:
    other = made_rollout(name="other", spec=made_spec().model_copy(update={"target": "second"}))
    assert {target: [each.name for each in queue] for target, queue in queues([made_rollout(), other]).items()} == {
        "endcap": ["endcap-2"],
        "second": ["other"],
    }
