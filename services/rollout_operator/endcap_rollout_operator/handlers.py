"""What kopf is for here: it watches the namespace's Rollouts, tells when one changes, and answers for the process's health.

kopf stores nothing in the resources: a handler of plain events needs neither its finalizer nor its annotations. What a rollout needs to
know is in its status, and its finalizer is endcap's own.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import kopf

from endcap.contracts.rollout import GROUP, PLURAL, VERSION
from endcap_rollout_operator.ticking import Ticking

RECONNECT_S = 1.0
STOP_S = 15.0


class Endlessly:
    """Pauses between attempts to reach the API server: however long it is away, the operator is there when it is back."""

    def __iter__(self) -> Iterator[float]:
        yield from (0.5, 1.0, 2.0)
        while True:
            yield 3.0


def register(registry: kopf.OperatorRegistry, open_ticking: Callable[[], Ticking]) -> None:
    """Add the operator's handlers to a registry.

    Args:
        open_ticking: called once, when the event loop runs.
    """
    ticking: list[Ticking] = []
    tasks: list[asyncio.Task[None]] = []

    @kopf.on.login(registry=registry)
    def login(**given: Any) -> kopf.ConnectionInfo | None:
        return kopf.login_with_service_account(**given) or kopf.login_with_kubeconfig(**given)

    @kopf.on.startup(registry=registry)
    async def start(settings: kopf.OperatorSettings, **_: Any) -> None:
        configure(settings)
        ticking.append(open_ticking())
        tasks.append(asyncio.create_task(ticking[0].run()))

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    async def changed(**_: Any) -> None:
        ticking[0].wake()

    @kopf.on.probe(registry=registry, id="ticking")
    async def healthy(**_: Any) -> str:
        stuck = ticking[0].stuck()
        if stuck or tasks[0].done():
            raise kopf.PermanentError(f"no look comes to its end: {', '.join(stuck) or 'the clockwork stopped'}")
        return "ticks"

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
    settings.networking.error_backoffs = Endlessly()
    settings.networking.request_timeout = 30
    settings.watching.reconnect_backoff = RECONNECT_S
    settings.watching.server_timeout = 300
    settings.watching.client_timeout = 310
