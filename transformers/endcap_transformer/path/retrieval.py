"""Retrieval: candidates of all of a surface's sources, those from memory gathered while the others are waited for."""

import asyncio
from collections.abc import Awaitable, Sequence
from time import perf_counter

from endcap.engine.retrieval.candidates import Candidates
from endcap_transformer.path.sources.source import Source, SourceRequest
from endcap_transformer.path.stage_trace import FallibleCall, StageTrace
from endcap_transformer.telemetry.metrics import ServingMetrics
from endcap_transformer.telemetry.own_cpu import Metered

PendingSource = tuple[Source, FallibleCall, asyncio.Future[Candidates] | None]
"""A remote source: the call that guards it, and its answer to come; None when it may not be called now."""


async def retrieve(sources: Sequence[Source], request: SourceRequest, trace: StageTrace, metrics: ServingMetrics) -> dict[str, Candidates]:
    """Candidates by source, eligible ones only, each within its quota.

    A source that fails or is late is left out and named in `degraded`.
    """
    start = perf_counter()
    by_source: dict[str, Candidates] = {}
    waiting = [_started(source, request, trace, metrics) for source in sources if source.is_remote]
    if waiting:
        await asyncio.sleep(0)  # lets the calls go out before memory is looked at
    for source in sources:
        if not source.is_remote:
            _from_memory(source, request, trace, metrics, by_source)
    for source, call, future in waiting:
        async with call:
            if future is not None:
                by_source[source.name] = await future
        if trace.is_timed:
            metrics.source(source.name).seconds.observe(perf_counter() - start)
    for name, found in by_source.items():
        metrics.source(name).candidates.observe(len(found.index))
    return by_source


def _started(source: Source, request: SourceRequest, trace: StageTrace, metrics: ServingMetrics) -> PendingSource:
    """Start a remote source."""
    call = trace.fallible(source.name, source.deadline_ms)
    if not call.admit():
        return source, call, None
    future: asyncio.Future[Candidates] = asyncio.get_running_loop().create_future()
    try:
        found = source.candidates(request)
    except Exception as error:  # raised again where the call is waited for, which names the source
        future.set_exception(error)
        return source, call, future
    if isinstance(found, Awaitable):
        return source, call, asyncio.ensure_future(Metered(found, metrics.own_cpu.inc))
    future.set_result(found)
    return source, call, future


def _from_memory(
    source: Source, request: SourceRequest, trace: StageTrace, metrics: ServingMetrics, by_source: dict[str, Candidates]
) -> None:
    start = perf_counter()
    try:
        found = source.candidates(request)
    except Exception as error:  # one source's fault costs its candidates, not the list
        trace.fall_back(source.name, "failed", f"{type(error).__name__}: {error}")
        return
    if isinstance(found, Awaitable):
        raise TypeError(f"{source.name} has to be awaited: name it in REMOTE")
    by_source[source.name] = found
    if trace.is_timed:
        metrics.source(source.name).seconds.observe(perf_counter() - start)
