"""What kopf is for here: it watches the namespace's Rollouts, wakes the control loop when one changes, and serves the health probe.

kopf stores nothing in the resources: a handler of plain events needs neither its finalizer nor its annotations. What a rollout needs to
know is in its status, and its finalizer is endcap's own.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import kopf

from endcap.contracts.rollout import GROUP, PLURAL, VERSION
from endcap_rollout_operator.control_loop import ControlLoop

RECONNECT_S = 1.0
STOP_S = 15.0


class EndlessBackoff:
    """Pauses between attempts to reach the API server: however long it is away, the operator is there when it is back."""

    def __iter__(self) -> Iterator[float]:
        yield from (0.5, 1.0, 2.0)
        while True:
            yield 3.0


def register(registry: kopf.OperatorRegistry, open_control_loop: Callable[[], ControlLoop]) -> None:
    """Add the operator's handlers to a registry.

    Args:
        open_control_loop: called once, when the event loop runs.
    """
    loops: list[ControlLoop] = []
    tasks: list[asyncio.Task[None]] = []

    @kopf.on.login(registry=registry)
    def login(**given: Any) -> kopf.ConnectionInfo | None:
        return kopf.login_with_service_account(**given) or kopf.login_with_kubeconfig(**given)

    @kopf.on.startup(registry=registry)
    async def start(settings: kopf.OperatorSettings, **_: Any) -> None:
        configure(settings)
        loops.append(open_control_loop())
        tasks.append(asyncio.create_task(loops[0].run()))

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    async def changed(**_: Any) -> None:
        loops[0].wake()

    @kopf.on.probe(registry=registry, id="control-loop")
    async def healthy(**_: Any) -> str:
        stuck = loops[0].stuck()
        if stuck or tasks[0].done():
            raise kopf.PermanentError(f"no look comes to its end: {', '.join(stuck) or 'the control loop stopped'}")
        return "runs"

    @kopf.on.cleanup(registry=registry)
    async def stop(**_: Any) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=STOP_S)


def configure(settings: kopf.OperatorSettings) -> None:
    """One namespace, no peers, no look at what other namespaces and definitions there are: none of the rights for that."""
    settings.scanning.disabled = True
    settings.peering.standalone = True
    settings.posting.enabled = False
    settings.networking.error_backoffs = EndlessBackoff()
    settings.networking.request_timeout = 30
    settings.watching.reconnect_backoff = RECONNECT_S
    settings.watching.server_timeout = 300
    settings.watching.client_timeout = 310
