"""What one list counts for in the metrics: what filters removed, rules touched, the scores shown, and the places that explored."""

from endcap.engine.slate.slate import SlotKind
from endcap_transformer.path.answering import Shown
from endcap_transformer.path.listing import Curiosity
from endcap_transformer.path.rule_stage import exclusion
from endcap_transformer.path.sources.source import SourceRequest
from endcap_transformer.telemetry.metrics import ServingMetrics

LOOKED_AT_WHEN_EMPTY = 10_000


def count_list(metrics: ServingMetrics, shown: Shown, source_request: SourceRequest, curiosity: Curiosity) -> None:
    """Count a list that somebody will see.

    Args:
        metrics: where.
        shown: the list.
        source_request: the request as the sources saw it.
        curiosity: how it explored.
    """
    served = source_request.resolved.served
    for name, removed in source_request.eligible.removed.items():
        metrics.filtered(name, removed)
    if source_request.rules:
        served.rule_counts.add(shown.candidates.effects.counts(len(served.rules.rules)))
    if len(shown):
        metrics.shown(source_request.resolved.instance.surface, float(shown.score[0]), shown.buy())
    else:
        (metrics.empty_answers if _may_be_shown(source_request) else metrics.nothing_eligible).inc()
    if SlotKind.EXPLORED in shown.slate.kind:
        _count_explored(metrics, shown, source_request, curiosity)


def _count_explored(metrics: ServingMetrics, shown: Shown, source_request: SourceRequest, curiosity: Curiosity) -> None:
    for row, kind in zip(shown.slate.rows.tolist(), shown.slate.kind, strict=True):
        if kind is SlotKind.EXPLORED:
            item = shown.candidates.ranked.candidates.index[row]
            known = source_request.resolved.served.evidence.impressions[item] >= curiosity.settings.evidence_impressions
            metrics.explored(curiosity.policy.name, "known" if known else "new")


def _may_be_shown(source_request: SourceRequest) -> bool:
    """Whether one of the most bought items could stand in the list; looked at for empty ones, which have to have a reason."""
    order = (
        source_request.eligible.given
        if source_request.resolved.is_given
        else source_request.resolved.served.by_purchases[:LOOKED_AT_WHEN_EMPTY]
    )
    kept = order[source_request.eligible.of(order)]
    return bool(len(kept)) and not bool(exclusion(source_request)(kept).all())
