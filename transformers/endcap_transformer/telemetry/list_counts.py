"""What one list counts for in the metrics: what filters removed, rules touched, the scores shown, and the places that explored."""

from endcap.engine.slate.slate import SlotKind
from endcap_transformer.path.answering import Shown
from endcap_transformer.path.listing import Curiosity
from endcap_transformer.path.rule_stage import exclusion
from endcap_transformer.path.sources.source import SourceRequest
from endcap_transformer.telemetry.metrics import ServingMetrics

LOOKED_AT_WHEN_EMPTY = 10_000


def count_list(metrics: ServingMetrics, shown: Shown, asked: SourceRequest, curiosity: Curiosity) -> None:
    """Count a list that somebody will see.

    Args:
        metrics: where.
        shown: the list.
        asked: the request as the sources saw it.
        curiosity: how it explored.
    """
    served = asked.request.served
    for name, removed in asked.eligible.removed.items():
        metrics.filtered(name, removed)
    if asked.rules:
        served.rule_counts.add(shown.candidates.effects.counts(len(served.rules.rules)))
    if len(shown):
        metrics.shown(asked.request.instance.surface, float(shown.score[0]), shown.buy())
    else:
        (metrics.empty_answers if _may_be_shown(asked) else metrics.nothing_eligible).inc()
    if SlotKind.EXPLORED in shown.slate.kind:
        _count_explored(metrics, shown, asked, curiosity)


def _count_explored(metrics: ServingMetrics, shown: Shown, asked: SourceRequest, curiosity: Curiosity) -> None:
    for row, kind in zip(shown.slate.rows.tolist(), shown.slate.kind, strict=True):
        if kind is SlotKind.EXPLORED:
            item = shown.candidates.ranked.candidates.index[row]
            known = asked.request.served.evidence.impressions[item] >= curiosity.settings.evidence_impressions
            metrics.explored(curiosity.policy.name, "known" if known else "new")


def _may_be_shown(asked: SourceRequest) -> bool:
    """Whether one of the most bought items could stand in the list; looked at for empty ones, which have to have a reason."""
    order = asked.eligible.given if asked.request.is_given else asked.request.served.by_purchases[:LOOKED_AT_WHEN_EMPTY]
    kept = order[asked.eligible.of(order)]
    return bool(len(kept)) and not bool(exclusion(asked)(kept).all())
