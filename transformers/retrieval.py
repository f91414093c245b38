"""Retrieval: candidates of all of a surface's sources, those from memory gathered while the others are waited for."""

import asyncio
from collections.abc import Awaitable, Sequence
from time import perf_counter

from endcap.retrieval.candidates import Candidates
from transformers.metrics import ServingMetrics
from transformers.own_cpu import Metered
from transformers.sources.source import Source, SourceRequest
from transformers.stage_trace import StageTrace


async def retrieve(sources: Sequence[Source], asked: SourceRequest, trace: StageTrace, metrics: ServingMetrics) -> dict[str, Candidates]:
    """Candidates by source, eligible ones only, each within its quota.

    A source that fails or is late is left out and named in `degraded`.
    """
    start = perf_counter()
    waiting: list[tuple[Source, asyncio.Future[Candidates]]] = []
    in_memory: list[Source] = []
    by_source: dict[str, Candidates] = {}
    for source in sources:
        if source.is_remote:
            _begin(source, asked, trace, metrics, by_source, waiting)
        else:
            in_memory.append(source)
    if waiting:
        await asyncio.sleep(0)  # lets the calls go out before memory is looked at
    for source in in_memory:
        _from_memory(source, asked, trace, metrics, by_source)
    for source, future in waiting:
        left_ms = source.deadline_ms - (perf_counter() - start) * 1000
        async with trace.fallible(source.name, max(left_ms, 0.0)):
            by_source[source.name] = await future
        metrics.source(source.name).seconds.observe(perf_counter() - start)
    for name, found in by_source.items():
        metrics.source(name).candidates.observe(len(found.index))
    return by_source


def _begin(  # noqa: PLR0917
    source: Source,
    asked: SourceRequest,
    trace: StageTrace,
    metrics: ServingMetrics,
    by_source: dict[str, Candidates],
    waiting: list[tuple[Source, asyncio.Future[Candidates]]],
) -> None:
    if trace.refuses(source.name):
        waiting.append((source, asyncio.get_running_loop().create_future()))  # `fallible` says why it is not asked
        return
    found = source.candidates(asked)
    if isinstance(found, Awaitable):
        waiting.append((source, asyncio.ensure_future(Metered(found, metrics.own_cpu.inc))))
    else:
        by_source[source.name] = found


def _from_memory(
    source: Source, asked: SourceRequest, trace: StageTrace, metrics: ServingMetrics, by_source: dict[str, Candidates]
) -> None:
    start = perf_counter()
    try:
        found = source.candidates(asked)
    except Exception as error:  # one source's fault costs its candidates, not the list
        trace.fall_back(source.name, "failed", f"{type(error).__name__}: {error}")
        return
    assert not isinstance(found, Awaitable)  # noqa: S101 - the registry says which sources are remote
    by_source[source.name] = found
    metrics.source(source.name).seconds.observe(perf_counter() - start)
