"""Respond: the finished list as the answer of the contract, and what it counts for in the metrics."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap.contracts.answer import Answer, Recommendation
from endcap.engine.retrieval.candidates import SOURCES
from endcap.engine.slate.families import left_out
from endcap.engine.slate.slate import Slate, SlotKind
from endcap_transformer.path.reasons import reasons
from endcap_transformer.path.resolving import ResolvedRequest
from endcap_transformer.path.rules import RuledCandidates, exclusion
from endcap_transformer.path.slate import ExplorationConfig
from endcap_transformer.path.sources.source import SourceRequest
from endcap_transformer.path.stage_trace import StageTrace
from endcap_transformer.telemetry.metrics import ServingMetrics

STALE = "stale_answer"
"""The source of items of a list that was made earlier."""

_POPULAR = SOURCES.index("popular")


@dataclass(frozen=True)
class RenderedList:
    """A finished list.

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


def recommendations(rendered: RenderedList, source_request: SourceRequest, policy: str) -> list[Recommendation]:
    """The list, in order.

    Args:
        rendered: the list.
        source_request: the request as the sources saw it.
        policy: name of the exploration policy, for explanations.
    """
    items, index, main_source = source_request.resolved.served.tables.items, rendered.index, rendered.main_source
    sentences = reasons(index, main_source, source_request.resolved, source_request.state)
    propensity = np.concatenate([rendered.slate.propensity, np.ones(len(rendered.rest), dtype=np.float32)]).tolist()
    explanations = explained(rendered, policy, source_request.resolved) if source_request.resolved.instance.explain else [None] * len(index)
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
                rendered.score.tolist(),
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


def stale_recommendations(index: NDArray[np.int32], score: NDArray[np.float32], request: ResolvedRequest) -> list[Recommendation]:
    """A list that was complete a while ago, as recommendations.

    Args:
        index: int32 [k], the items.
        score: float32 [k], as they were.
        request: the request that gets it.
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
        ordered_by=request.served.manifest.ordered_by,
        variant=request.served.variant,
        degraded=trace.degraded,
        ignored=request.ignored,
        timings_ms={stage: round(took_ms, 3) for stage, took_ms in trace.timings_ms.items()},
        personalised=request.is_personal,
    )


def explained(rendered: RenderedList, policy: str, request: ResolvedRequest) -> list[dict[str, Any]]:
    """How each item came to its place: sources, scores, rules, family, diversity, exploration, and what the models learned from."""
    touched = rendered.candidates.effects.touched(rendered.candidates.rows[rendered.slate.rows], rendered.slate.rule)
    families = _families(rendered, request)
    taught: dict[str, Any] = {"models": request.served.manifest.learned_from}
    if rendered.candidates.ranked.probabilities:
        taught["value"] = request.served.value_of(request.surface)
    return [_of_place(rendered, place, touched[place], policy) | families[place] | taught for place in range(len(rendered.slate))] + [
        {"last_resort": "fills a place that no candidate was left for"} for _ in rendered.rest
    ]


FAMILY_LEFT_OUT = 20
"""Items of a family that an explanation names."""


def _families(rendered: RenderedList, request: ResolvedRequest) -> list[dict[str, Any]]:
    """By place of the slate, `family` with what was left out because of the item, and at the first `page_families` with what was because of
    the page's; empty where nothing was.
    """
    if request.families is None:
        return [{} for _ in rendered.slate.rows]
    items, index = request.served.tables.items, rendered.candidates.ranked.candidates.index
    families, page = request.families[index], request.page_families
    out = {
        code: {"family_id": items.families.name(code), "left_out": [items.ids.name(int(item)) for item in index[rows[:FAMILY_LEFT_OUT]]]}
        for code, rows in left_out(families, rendered.candidates.score, rendered.slate.rows, page).items()
    }
    told: list[dict[str, Any]] = [{"family": out[code]} if code in out else {} for code in families[rendered.slate.rows].tolist()]
    if told and (of_page := [out[code] for code in page.tolist() if code in out]):
        told[0]["page_families"] = of_page
    return told


def _of_place(rendered: RenderedList, place: int, touched: list[str], policy: str) -> dict[str, Any]:
    slate, ruled = rendered.slate, rendered.candidates
    row = int(slate.rows[place])
    candidates, effects_row = ruled.ranked.candidates, int(ruled.rows[row])
    rules: dict[str, Any] = {"touched": touched, "factor": _rounded(ruled.effects.factor[effects_row])}
    if slate.rule[place]:
        rules["placed_by"] = slate.rule[place]
    diversity = {"penalty": _rounded(slate.penalty[place]), "relevance": _rounded(slate.score_after[place])}
    if slate.category_most is not None:
        diversity["category_most"] = slate.category_most
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
        "diversity": diversity,
        "exploration": exploration | ({"policy": policy} if exploration["explored"] else {}),
        "place": slate.kind[place].value,
    }


def _rounded(value: Any) -> float:
    return float(f"{float(value):.5g}")


LOOKED_AT_WHEN_EMPTY = 10_000


def count_list(metrics: ServingMetrics, rendered: RenderedList, source_request: SourceRequest, exploration: ExplorationConfig) -> None:
    """Count a list that is logged.

    Args:
        metrics: where.
        rendered: the list.
        source_request: the request as the sources saw it.
        exploration: how it explored.
    """
    served = source_request.resolved.served
    for name, removed in source_request.eligible.removed.items():
        metrics.filtered(name, removed)
    if source_request.rules:
        served.rule_counts.add(rendered.candidates.effects.counts(len(served.rules.rules)))
    if len(rendered):
        metrics.observe_scores(source_request.resolved.instance.surface, float(rendered.score[0]), rendered.buy())
    else:
        (metrics.empty_answers if _may_be_shown(source_request) else metrics.nothing_eligible).inc()
    if SlotKind.EXPLORED in rendered.slate.kind:
        _count_explored(metrics, rendered, source_request, exploration)


def _count_explored(metrics: ServingMetrics, rendered: RenderedList, source_request: SourceRequest, exploration: ExplorationConfig) -> None:
    for row, kind in zip(rendered.slate.rows.tolist(), rendered.slate.kind, strict=True):
        if kind is SlotKind.EXPLORED:
            item = rendered.candidates.ranked.candidates.index[row]
            known = source_request.resolved.served.evidence.impressions[item] >= exploration.settings.evidence_impressions
            metrics.explored(exploration.policy.name, "known" if known else "new")


def _may_be_shown(source_request: SourceRequest) -> bool:
    """Whether one of the most bought items could stand in the list; looked at for empty ones, which have to have a reason."""
    items = (
        source_request.eligible.given
        if source_request.resolved.is_given
        else source_request.resolved.served.by_purchases[:LOOKED_AT_WHEN_EMPTY]
    )
    kept = items[source_request.eligible.of(items)]
    return bool(len(kept)) and not bool(exclusion(source_request)(kept).all())
