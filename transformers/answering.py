"""Respond: ranked candidates as the answer of the contract."""

from typing import Any

from endcap.contracts.answer import Answer, Recommendation
from endcap.retrieval.candidates import SOURCES
from endcap.retrieval.user_state import UserState
from transformers.ranking import RankedCandidates
from transformers.reasons import reasons
from transformers.resolving import ResolvedRequest
from transformers.stage_trace import StageTrace

VARIANT = "default"
"""Everybody is in one variant until experiments are configured."""


def recommendations(ranked: RankedCandidates, request: ResolvedRequest, state: UserState) -> tuple[Recommendation, ...]:
    """The list, in order."""
    items, index = request.served.tables.items, ranked.candidates.index
    sentences = reasons(ranked.candidates, request, state)
    explain = request.instance.explain
    return tuple(
        Recommendation(
            item_id=items.ids.name(int(index[place])),
            score=float(ranked.score[place]),
            source=SOURCES[ranked.candidates.main_source[place]],
            reason=sentences[place],
            position=place + 1,
            title=str(items.title[index[place]]),
            explanation=_explanation(ranked, place) if explain else None,
        )
        for place in range(len(index))
    )


def answer(listed: tuple[Recommendation, ...], request: ResolvedRequest, request_id: str, trace: StageTrace) -> Answer:
    """The answer; call last, when the trace has all its times."""
    return Answer(
        recommendations=list(listed),
        request_id=request_id,
        bundle=request.served.name,
        variant=VARIANT,
        degraded=trace.degraded,
        ignored=request.ignored,
        timings_ms={stage: round(took_ms, 3) for stage, took_ms in trace.timings_ms.items()},
    )


def _explanation(ranked: RankedCandidates, place: int) -> dict[str, Any]:
    """Scores by source and objective; what did not bring or judge the item is left out."""
    candidates = ranked.candidates
    sources = {
        source: round(float(candidates.scores[place, column]), 6)
        for column, source in enumerate(SOURCES)
        if candidates.brought[place, column]
    }
    objectives = {name: round(float(values[place]), 6) for name, values in ranked.probabilities.items() if values[place] == values[place]}
    return {"sources": sources, "objectives": objectives, "fused": round(float(candidates.fused[place]), 6)}
