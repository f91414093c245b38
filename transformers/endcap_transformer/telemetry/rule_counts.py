"""What each rule did, counted for all rules of a book at once."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

LABELS = ("rule", "action")


class RuleCounts:
    """Counts of one book; a request that still works with an older book adds to that book's own.

    Attributes:
        rules: id and action of each rule, in the book's order.
        items: int64 [rules], candidates touched.
        lists: int64 [rules], lists in which at least one was.
    """

    def __init__(self, rules: Sequence[tuple[str, str]]) -> None:
        self.rules = tuple(rules)
        self.items = np.zeros(len(self.rules), dtype=np.int64)
        self.lists = np.zeros(len(self.rules), dtype=np.int64)

    def add(self, touched: NDArray[np.integer]) -> None:
        """Count one list; call it in the event loop's thread.

        Args:
            touched: integers [rules], how many candidates each rule touched.
        """
        self.items += touched
        self.lists += touched > 0


class RuleEffectsCollector(Collector):
    """Exposes the counts of the book in force, and no other rule's.

    Args:
        registry: where it is registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._counts = RuleCounts(())
        registry.register(self)

    def load(self, rules: Sequence[tuple[str, str]]) -> RuleCounts:
        """Take up a new book; rules that were in the last one too keep their counts.

        Args:
            rules: id and action of each rule, in the book's order.
        """
        before = self._counts
        place = {rule: number for number, rule in enumerate(before.rules)}
        counts = RuleCounts(rules)
        for number, rule in enumerate(counts.rules):
            if rule in place:
                counts.items[number] = before.items[place[rule]]
                counts.lists[number] = before.lists[place[rule]]
        self._counts = counts
        return counts

    def describe(self) -> Iterable[CounterMetricFamily]:
        yield from self._families()

    def collect(self) -> Iterable[CounterMetricFamily]:
        counts = self._counts
        items, lists = self._families()
        for rule, touched, listed in zip(counts.rules, counts.items.tolist(), counts.lists.tolist(), strict=True):
            items.add_metric(rule, touched)
            lists.add_metric(rule, listed)
        yield items
        yield lists

    def _families(self) -> tuple[CounterMetricFamily, CounterMetricFamily]:
        return (
            CounterMetricFamily("endcap_rule_effects", "Candidates touched by each rule of the book in force.", labels=LABELS),
            CounterMetricFamily("endcap_rule_lists", "Lists in which each rule of the book in force touched something.", labels=LABELS),
        )
