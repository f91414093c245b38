"""Totals of outcomes as Prometheus scrapes them; they are what is committed, so a restart does not set them back."""

from collections.abc import Callable, Iterable, Sequence

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from endcap.core.metric_description import MetricDescription
from endcap.events.outcomes.outcome_counters import ITEM_LABELS, LIST_LABELS, OutcomeTotals

LIST_MEANINGS = {
    "impressions": "Lists shown to a person whose time to click or buy is over.",
    "clicks": "Those of them with a click.",
    "purchases": "Those of them with a purchase.",
}
ITEMS_MEANING = "Items of lists whose time is over, by what happened to them."


DESCRIBED = (
    *(MetricDescription(f"endcap_outcome_{name}_total", "counter", LIST_LABELS, meaning) for name, meaning in LIST_MEANINGS.items()),
    MetricDescription("endcap_outcome_items_total", "counter", ITEM_LABELS, ITEMS_MEANING),
)
"""All of it, in the order of the documentation."""


class OutcomeCollector(Collector):
    """`endcap_outcome_*`, read anew at every scrape.

    Args:
        totals: what was counted so far.
    """

    def __init__(self, totals: Callable[[], OutcomeTotals]) -> None:
        self._totals = totals

    def describe(self) -> Sequence[CounterMetricFamily]:
        """Names and help, without a look at the totals."""
        lists = [_family(f"endcap_outcome_{name}", meaning, LIST_LABELS) for name, meaning in LIST_MEANINGS.items()]
        return [*lists, _family("endcap_outcome_items", ITEMS_MEANING, ITEM_LABELS)]

    def collect(self) -> Iterable[CounterMetricFamily]:
        *lists, items = self.describe()
        totals = self._totals()
        for family, name in zip(lists, LIST_MEANINGS, strict=True):
            for *labels, count in totals.lists.select(*LIST_LABELS, name).iter_rows():
                family.add_metric(labels, count)
            yield family
        for *labels, count in totals.items.select(*ITEM_LABELS, "count").iter_rows():
            items.add_metric(labels, count)
        yield items


def _family(name: str, meaning: str, labels: Sequence[str]) -> CounterMetricFamily:
    return CounterMetricFamily(name, meaning, labels=labels)
