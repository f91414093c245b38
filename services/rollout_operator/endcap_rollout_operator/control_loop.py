"""The operator's control loop: a look at all rollouts each tick, and at once when Kubernetes says that one changed."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime

from endcap.contracts.rollout import Phase
from endcap.core.clock import Clock
from endcap.core.errors import EndcapError, InvalidInput
from endcap.core.log import get_logger
from endcap.release.rollout.api_server import ROLLOUTS, ApiServer
from endcap.release.rollout.resource import Rollout, parse_rollout
from endcap_rollout_operator.metrics import OperatorMetrics
from endcap_rollout_operator.reconciler import Reconciler
from endcap_rollout_operator.stable_bundle import StableBundle

BACK_OFF_MAX_S = 10.0
STUCK_S = 600.0
"""A look that takes longer hangs: the process is better started again."""


class ControlLoop:
    """Targets are looked at beside each other, so that one whose Milvus hangs holds up no other.

    Args:
        open_reconciler: a reconciler with a connection of its own, one a target.
        tick_s: between two looks.
        stable_bundle: said at each tick; None where nobody follows it.
    """

    def __init__(
        self,
        api_server: ApiServer,
        open_reconciler: Callable[[], Reconciler],
        metrics: OperatorMetrics,
        *,
        tick_s: float,
        clock: Clock,
        stable_bundle: StableBundle | None = None,
    ) -> None:
        self._api_server = api_server
        self._open_reconciler = open_reconciler
        self._metrics = metrics
        self._tick_s = tick_s
        self._clock = clock
        self._stable_bundle = stable_bundle
        self._reconcilers: dict[str, Reconciler] = {}
        self._working: dict[str, asyncio.Task[None]] = {}
        self._begun: dict[str, datetime] = {}
        self._woken = asyncio.Event()
        self._failures = 0
        self._log = get_logger("rollout-operator")

    def wake(self) -> None:
        """Look now."""
        self._woken.set()

    def stuck(self) -> list[str]:
        """Targets whose look does not come to its end."""
        now = self._clock()
        return [target for target in self._working if (now - self._begun[target]).total_seconds() > STUCK_S]

    async def run(self) -> None:
        """Tick until cancelled; looks that have begun come to their end."""
        try:
            while True:
                self._woken.clear()
                await self._tick()
                await self._wait()
        finally:
            if self._working:
                await asyncio.wait(self._working.values(), timeout=BACK_OFF_MAX_S)

    async def _tick(self) -> None:
        try:
            rollouts = await asyncio.to_thread(self._read)
        except EndcapError as error:
            self._failures += 1
            self._metrics.failures.labels("list").inc()
            self._log.warning("rollouts cannot be read", reason=str(error))
            return
        self._failures = 0
        self._metrics.show(rollouts)
        await self._say_stable(rollouts)
        for target, queue in queues(rollouts).items():
            if target not in self._working:
                self._begun[target] = self._clock()
                self._working[target] = asyncio.create_task(self._work(target, queue))

    async def _say_stable(self, rollouts: list[Rollout]) -> None:
        if self._stable_bundle is None:
            return
        try:
            await asyncio.to_thread(self._stable_bundle.say, rollouts)
        except EndcapError as error:
            self._metrics.failures.labels("stable bundle").inc()
            self._log.warning("which bundle is the stable one is not said; tried again at the next look", reason=str(error))

    async def _work(self, target: str, queue: list[Rollout]) -> None:
        try:
            reconciler = self._reconcilers.get(target) or self._open_reconciler()
            self._reconcilers[target] = reconciler
            await asyncio.to_thread(reconciler.reconcile, queue)
        except Exception as error:
            self._metrics.failures.labels("unexpected").inc()
            self._log.error("a look failed", target=target, exc_info=error)
        finally:
            del self._working[target]

    async def _wait(self) -> None:
        """Until the next tick; longer and longer while the API server does not answer."""
        pause_s = min(self._tick_s * 2**self._failures, max(BACK_OFF_MAX_S, self._tick_s)) if self._failures else self._tick_s
        try:
            await asyncio.wait_for(self._woken.wait(), pause_s)
        except TimeoutError:
            return

    def _read(self) -> list[Rollout]:
        rollouts = []
        for document in self._api_server.list(ROLLOUTS):
            try:
                rollouts.append(parse_rollout(document))
            except InvalidInput as error:
                self._metrics.failures.labels("parse").inc()
                self._log.warning("a rollout cannot be read", reason=str(error))
        return rollouts


def queues(rollouts: Iterable[Rollout]) -> dict[str, list[Rollout]]:
    """The queue of each target, in the order of their turns; one that has begun is before all that have not."""
    by_target: dict[str, list[Rollout]] = {}
    for rollout in sorted(rollouts, key=_turn):
        by_target.setdefault(rollout.spec.target, []).append(rollout)
    return by_target


def _turn(rollout: Rollout) -> tuple[bool, float, str]:
    has_begun = rollout.status.phase not in (None, Phase.WAITING)
    return not has_begun, rollout.created_at.timestamp(), rollout.name
