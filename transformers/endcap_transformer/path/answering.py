"""Respond: the finished list as the answer of the contract."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap.contracts.answer import Answer, Recommendation
from endcap.engine.retrieval.candidates import SOURCES
from endcap.engine.slate.slate import Slate
from endcap_transformer.path.listing import RuledCandidates
from endcap_transformer.path.reasons import reasons
from endcap_transformer.path.resolving import ResolvedRequest
from endcap_transformer.path.sources.source import SourceRequest
from endcap_transformer.path.stage_trace import StageTrace

STALE = "stale_answer"
"""The source of items of a list that was made earlier."""

_POPULAR = SOURCES.index("popular")


@dataclass(frozen=True)
class Shown:
    """What a list shows.

    Attributes:
        candidates: what the slate was made of.
        slate: the places that candidates fill.
        rest: int32 [r], items of the last resort for the places after them.
    """

    candidates: RuledCandidates
    slate: Slate
    rest: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.slate) + len(self.rest)

    @cached_property
    def index(self) -> NDArray[np.int32]:
        """int32 [k'], item indices in the list's order."""
        return np.concatenate([self.candidates.ranked.candidates.index[self.slate.rows], self.rest])

    @cached_property
    def main_source(self) -> NDArray[np.int8]:
        """int8 [k'], places in SOURCES; the last resort is what is popular."""
        return np.concatenate([self.candidates.ranked.candidates.main_source[self.slate.rows], np.full(len(self.rest), _POPULAR, np.int8)])

    @cached_property
    def score(self) -> NDArray[np.float32]:
        """float32 [k']; items of the last resort stand below all others."""
        listed = self.candidates.score[self.slate.rows]
        if not len(self.rest):
            return listed
        lowest = float(listed.min(initial=1.0))
        return np.concatenate([listed, np.float32(max(lowest, 0.0)) * np.linspace(0.999, 0.001, len(self.rest), dtype=np.float32)])

    def buy(self) -> NDArray[np.float32]:
        """float32 [places of the slate], predicted probability of a purchase; NaN where the ranker did not answer."""
        values = self.candidates.ranked.probabilities.get("buy")
        return np.full(len(self.slate), np.nan, np.float32) if values is None else values[self.slate.rows]


def recommendations(shown: Shown, asked: SourceRequest, policy: str) -> list[Recommendation]:
    """The list, in order.

    Args:
        shown: what it shows.
        asked: the request as the sources saw it.
        policy: name of the exploration policy, for explanations.
    """
    items, index, main_source = asked.request.served.tables.items, shown.index, shown.main_source
    sentences = reasons(index, main_source, asked.request, asked.state)
    propensity = np.concatenate([shown.slate.propensity, np.ones(len(shown.rest), dtype=np.float32)]).tolist()
    explanations = explained(shown, policy) if asked.request.instance.explain else [None] * len(index)
    return [
        Recommendation(
            item_id=items.ids.name(item),
            score=score,
            source=SOURCES[source],
            reason=reason,
            position=place,
            title=title,
            propensity=chance,
            explanation=explanation,
        )
        for place, (item, score, source, reason, title, chance, explanation) in enumerate(
            zip(
                index.tolist(),
                shown.score.tolist(),
                main_source.tolist(),
                sentences,
                items.titles(index),
                propensity,
                explanations,
                strict=True,
            ),
            start=1,
        )
    ]


def once_more(index: NDArray[np.int32], score: NDArray[np.float32], request: ResolvedRequest) -> list[Recommendation]:
    """A list that was complete a while ago, shown again.

    Args:
        index: int32 [k], the items.
        score: float32 [k], as they were.
        request: what was asked.
    """
    items = request.served.tables.items
    return [
        Recommendation(item_id=items.ids.name(item), score=old, source=STALE, reason="Picked for you", position=place, title=title)
        for place, (item, old, title) in enumerate(zip(index.tolist(), score.tolist(), items.titles(index), strict=True), start=1)
    ]


def answer(listed: list[Recommendation], request: ResolvedRequest, trace: StageTrace) -> Answer:
    """The answer; call last, when the trace has all its times."""
    return Answer(
        recommendations=listed,
        request_id=request.request_id,
        bundle=request.served.name,
        variant=request.served.variant,
        degraded=trace.degraded,
        ignored=request.ignored,
        timings_ms={stage: round(took_ms, 3) for stage, took_ms in trace.timings_ms.items()},
        personalised=request.is_personal,
    )


def explained(shown: Shown, policy: str) -> list[dict[str, Any]]:
    """How each item came to its place: sources, scores, rules, diversity, exploration."""
    touched = shown.candidates.effects.touched(shown.candidates.rows[shown.slate.rows], shown.slate.rule)
    return [_of_place(shown, place, touched[place], policy) for place in range(len(shown.slate))] + [
        {"last_resort": "fills a place that no candidate was left for"} for _ in shown.rest
    ]


def _of_place(shown: Shown, place: int, touched: list[str], policy: str) -> dict[str, Any]:
    slate, ruled = shown.slate, shown.candidates
    row = int(slate.rows[place])
    candidates, effects_row = ruled.ranked.candidates, int(ruled.rows[row])
    rules: dict[str, Any] = {"touched": touched, "factor": _rounded(ruled.effects.factor[effects_row])}
    if slate.rule[place]:
        rules["placed_by"] = slate.rule[place]
    exploration: dict[str, Any] = {"explored": slate.kind[place].value == "explored", "propensity": _rounded(slate.propensity[place])}
    return {
        "sources": {
            source: _rounded(candidates.scores[row, column]) for column, source in enumerate(SOURCES) if candidates.brought[row, column]
        },
        "objectives": {name: _rounded(values[row]) for name, values in ruled.ranked.probabilities.items()},
        "score": {
            "fused": _rounded(candidates.fused[row]),
            "value": _rounded(ruled.ranked.score[row]),
            "after_rules": _rounded(ruled.score[row]),
        },
        "rules": rules,
        "diversity": {"penalty": _rounded(slate.penalty[place]), "relevance": _rounded(slate.score_after[place])},
        "exploration": exploration | ({"policy": policy} if exploration["explored"] else {}),
        "place": slate.kind[place].value,
    }


def _rounded(value: Any) -> float:
    return float(f"{float(value):.5g}")
