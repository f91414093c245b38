"""What a transformer counts, exposed on /metrics. docs/observability.md has the table of all of it.

A request pays for its metrics too: `stage()`, `source()`, `surface()`, `filtered()`, `cache()` and their like give a bound series from a
dictionary, cheap enough for each request; a list goes in with one call (`observe_stages`, `observe_scores`, `RuleCounts.add`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter, Gauge, Info

from endcap.core.clock import Clock
from endcap.core.metric_description import MetricDescription
from endcap.events.probes import stations as probes
from endcap.events.probes.stations import ProbeStations, Station
from endcap_transformer.telemetry.histograms import BandedHistogram, BoundHistogram, HistogramFamily
from endcap_transformer.telemetry.rule_counts import LABELS as RULE_LABELS
from endcap_transformer.telemetry.rule_counts import RuleCounts, RuleEffectsCollector

LATENCY_BUCKETS_S = (
    *(0.00025, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02),
    *(0.025, 0.03, 0.04, 0.05, 0.06, 0.075, 0.1, 0.25, 1.0),
)
"""Fine up to the default budget of 50 ms, which is a bound itself, so that the share within it is exact."""
CANDIDATE_BUCKETS = (0, 1, 5, 10, 25, 50, 100, 150, 200, 300, 400, 600, 800, 1000)
REFRESH_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
LAG_BUCKETS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1)
SCORE_BUCKETS = (1e-6, 1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 3, 10)
PROBABILITY_BUCKETS = (1e-4, 3e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1)
POSITION_BANDS = (("1", 1), ("2-3", 3), ("4-10", 10), ("11-20", 20))

CLOSED, HALF_OPEN, OPEN = 0, 1, 2
"""Values of a breaker's gauge."""

FallbackCause = Literal["late", "failed", "open_circuit", "bulkhead_full", "budget", "skipped", "no_place"]
"""late: no answer by the stage's deadline; budget: the request had no time left for it; skipped: a stage it needs had fallen back;
no_place: the request found no place among those in work, and its list is made of what is in memory."""


@dataclass(frozen=True, slots=True)
class SourceMetrics:
    """One candidate source: how long it took and how many candidates it brought."""

    seconds: BoundHistogram
    candidates: BoundHistogram


@dataclass(frozen=True, slots=True)
class SurfaceMetrics:
    """One surface: lists answered, those with a stage that fell back, the time of a whole list, the score at its top."""

    lists: Counter
    degraded: Counter
    seconds: BoundHistogram
    top_score: BoundHistogram


class CacheMetrics:
    """One cache: each look-up is a hit, a miss, or stale (an expired entry that was used all the same).

    Args:
        lookups: the counter with labels cache and outcome.
        entries: the gauge with label cache.
        name: the cache's name.
    """

    def __init__(self, lookups: Counter, entries: Gauge, name: str) -> None:
        self.hit = lookups.labels(name, "hit").inc
        self.miss = lookups.labels(name, "miss").inc
        self.stale = lookups.labels(name, "stale").inc
        self.entries = entries.labels(name)


class ServingMetrics:
    """Everything one transformer counts.

    Args:
        registry: where it is registered; a registry takes it once.

    Attributes:
        described: all of it, in the order of the documentation.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self.described: list[MetricDescription] = []
        self._bound: dict[tuple[str, ...], Counter | Gauge] = {}
        self._sources: dict[str, SourceMetrics] = {}
        self._surfaces: dict[str, SurfaceMetrics] = {}
        self._caches: dict[str, CacheMetrics] = {}
        self._request_path()
        self._bulk()
        self._candidates()
        self._degradation()
        self._rules()
        self._scores()
        self._freshness()
        self._saturation()

    def _describe(self, name: str, kind: str, meaning: str, labels: tuple[str, ...]) -> None:
        self.described.append(MetricDescription(name, kind, labels, meaning))

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        self._describe(f"{name}_total", "counter", meaning, labels)
        return Counter(name, meaning, labels, registry=self._registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        self._describe(name, "gauge", meaning, labels)
        return Gauge(name, meaning, labels, registry=self._registry)

    def _info(self, name: str, meaning: str, *labels: str) -> Info:
        self._describe(f"{name}_info", "info", meaning, labels)
        return Info(name, meaning, registry=self._registry)

    def _histogram(self, name: str, meaning: str, label: str | None, bounds: Sequence[float]) -> HistogramFamily:
        self._describe(name, "histogram", meaning, (label,) if label else ())
        return HistogramFamily(name, meaning, label, bounds, self._registry)

    def _request_path(self) -> None:
        self.stage_seconds = self._histogram("endcap_stage_seconds", "Time by stage of a list.", "stage", LATENCY_BUCKETS_S)
        self.list_seconds = self._histogram("endcap_list_seconds", "Time of a whole list, by surface.", "surface", LATENCY_BUCKETS_S)
        self.request_budget = self._gauge("endcap_request_budget_seconds", "Time a whole request may take, as configured.")
        self.requests = self._counter("endcap_lists", "Lists answered.", "surface")
        self.degraded_lists = self._counter("endcap_degraded_lists", "Lists in which at least one stage fell back.", "surface")
        self.refused = self._counter("endcap_refused", "Requests that ended in an error, the caller's or the server's.", "protocol")
        self.failed = self._counter("endcap_failed", "Requests that ended in an error of the server.", "protocol")
        self.empty_answers = self._counter("endcap_empty_answers", "Empty lists although an item was eligible; must stay 0.")
        self.nothing_eligible = self._counter("endcap_nothing_eligible", "Empty lists because no item was eligible.")
        for protocol in ("http", "grpc"):
            self.refused.labels(protocol)
            self.failed.labels(protocol)

    def _bulk(self) -> None:
        self._bulk_lists = self._counter("endcap_bulk_lists", "Lists of the bulk lane answered.", "surface")
        self._bulk_degraded = self._counter(
            "endcap_bulk_degraded_lists", "Lists of the bulk lane in which at least one stage fell back.", "surface"
        )
        self.bulk_waiting = self._gauge("endcap_bulk_requests", "Requests of the bulk lane in work or waiting.")

    def _candidates(self) -> None:
        self.source_seconds = self._histogram("endcap_source_seconds", "Time by candidate source.", "source", LATENCY_BUCKETS_S)
        self.source_candidates = self._histogram("endcap_source_candidates", "Candidates by source.", "source", CANDIDATE_BUCKETS)
        self.ranked_candidates = self._histogram("endcap_ranked_candidates", "Candidates of a ranked list.", None, CANDIDATE_BUCKETS)
        self.filtered_items = self._counter("endcap_filtered", "Items removed, by filter.", "filter")
        self.exploration_slots = self._counter("endcap_exploration_slots", "Places filled by exploration.", "policy", "kind")

    def _degradation(self) -> None:
        self._fallbacks = self._counter("endcap_fallbacks", "Stages that fell back, by cause.", "stage", "cause")
        self._breakers = self._gauge("endcap_breaker_state", "Circuit to a dependency: 0 closed, 1 half open, 2 open.", "dependency")
        self._lookups = self._counter("endcap_cache_lookups", "Look-ups by cache and outcome: hit, miss or stale.", "cache", "outcome")
        self._entries = self._gauge("endcap_cache_entries", "Entries by cache.", "cache")

    def _rules(self) -> None:
        self.rule_file_ok = self._gauge("endcap_rule_file_ok", "1 when the rule file on disk is the one in force, 0 when it was refused.")
        self.rule_file_ok.set(1)
        self.rule_reloads = self._counter("endcap_rule_reloads", "Rule files looked at, by outcome.", "outcome")
        self.rules_loaded = self._gauge("endcap_rules_loaded", "Rules in force.")
        self._rules_info = self._info("endcap_rules", "The rule file in force.", "version")
        self._effects = RuleEffectsCollector(self._registry)
        for family in self._effects.describe():
            self._describe(f"{family.name}_total", "counter", family.documentation, RULE_LABELS)

    def _scores(self) -> None:
        self.top_scores = self._histogram("endcap_top_score", "Final score of a list's first item.", "surface", SCORE_BUCKETS)
        name, meaning = "endcap_shown_buy_probability", "Predicted probability of a purchase of shown items, by position."
        self._describe(name, "histogram", meaning, ("position",))
        self.buy_probability = BandedHistogram(name, meaning, POSITION_BANDS, PROBABILITY_BUCKETS, self._registry)

    def _freshness(self) -> None:
        self._bundle_info = self._info("endcap_bundle", "The bundle that is served.", "bundle", "version", "collection")
        self.bundle_loaded = self._gauge("endcap_bundle_loaded", "1 while a bundle is served.")
        self.bundle_data_end = self._gauge("endcap_bundle_data_end_timestamp_seconds", "End of the data the served bundle was trained on.")
        self.bundle_switches = self._counter("endcap_bundle_switches", "Promoted bundles taken up, by outcome.", "outcome")
        self.item_table_revision = self._gauge("endcap_item_table_revision", "Revision of the live item table.")
        self.item_table_updated = self._gauge("endcap_item_table_updated_timestamp_seconds", "Time of the newest item update applied.")
        self.item_refresh_seconds = self._histogram("endcap_item_refresh_seconds", "Time an item refresh took.", None, REFRESH_BUCKETS_S)
        self.item_refreshes = self._counter("endcap_item_refreshes", "Item refreshes, by outcome.", "outcome")
        self.trend_refreshes = self._counter("endcap_trend_refreshes", "Live trending tables taken up, by outcome.", "outcome")
        self.trends_updated = self._gauge("endcap_trends_updated_timestamp_seconds", "Time of the newest live trending table applied.")
        self._probe_moments = self._gauge(probes.TIME_METRIC, probes.TIME_MEANING, "station")
        self._probe_delays = self._histogram(probes.DELAY_METRIC, probes.DELAY_MEANING, "station", probes.DELAY_BUCKETS_S)
        self._probe_interval = self._gauge(probes.INTERVAL_METRIC, probes.INTERVAL_MEANING)
        self.live_segments = self._gauge("endcap_live_trend_segments", "Segments whose popular items are counted live.")
        self.impressions = self._counter("endcap_impressions", "Impression events written.")
        self.dropped_impressions = self._counter("endcap_impressions_dropped", "Impression events given up.")
        self.unframed_impressions = self._counter(
            "endcap_impressions_unframed", "Impression events sent as plain JSON, since the schema registry gave no id yet."
        )
        self.queued_impressions = self._gauge("endcap_impressions_queued", "Lists whose impression events wait to be written.")

    def _saturation(self) -> None:
        self.in_flight = self._gauge("endcap_in_flight_requests", "Requests in work.")
        self.concurrency_limit = self._gauge("endcap_concurrency_limit", "Requests that may be in work at once.")
        self.shed = self._counter("endcap_shed", "Requests turned away for overload.", "protocol")
        self.spare_lists = self._counter("endcap_spare_lists", "Lists from memory for requests that found no place.")
        self.draining = self._gauge("endcap_draining", "1 from SIGTERM on.")
        self.own_cpu = self._counter(
            "endcap_own_cpu_seconds", "CPU time of endcap's own code in the request path, in the event loop's thread."
        )
        self.event_loop_lag = self._histogram("endcap_event_loop_lag_seconds", "How late the event loop wakes.", None, LAG_BUCKETS_S)
        for protocol in ("http", "grpc"):
            self.shed.labels(protocol)

    def stage(self, name: str) -> BoundHistogram:
        """Seconds of a stage: `.observe(seconds)`."""
        return self.stage_seconds.labels(name)

    def observe_stages(self, timings_ms: Mapping[str, float]) -> None:
        """Count a request's times by stage, in milliseconds, as its answer gives them."""
        self.stage_seconds.observe_each(timings_ms, 0.001)

    def source(self, name: str) -> SourceMetrics:
        """A candidate source: `.seconds.observe(s)`, `.candidates.observe(n)`."""
        bound = self._sources.get(name)
        if bound is None:
            bound = self._sources[name] = SourceMetrics(self.source_seconds.labels(name), self.source_candidates.labels(name))
        return bound

    def surface(self, name: str) -> SurfaceMetrics:
        """A surface: `.lists.inc()`, `.degraded.inc()`, `.seconds.observe(s)`, `.top_score.observe(score)`."""
        bound = self._surfaces.get(name)
        if bound is None:
            bound = self._surfaces[name] = SurfaceMetrics(
                lists=self.requests.labels(name),
                degraded=self.degraded_lists.labels(name),
                seconds=self.list_seconds.labels(name),
                top_score=self.top_scores.labels(name),
            )
        return bound

    def bulk_list(self, surface: str, *, is_degraded: bool) -> None:
        """Count a list of the bulk lane."""
        self._counter_of(self._bulk_lists, "bulk", surface).inc()
        if is_degraded:
            self._counter_of(self._bulk_degraded, "bulk_degraded", surface).inc()

    def cache(self, name: str) -> CacheMetrics:
        """A cache: `.hit()`, `.miss()`, `.stale()`, `.entries.set(n)`."""
        bound = self._caches.get(name)
        if bound is None:
            bound = self._caches[name] = CacheMetrics(self._lookups, self._entries, name)
        return bound

    def filtered(self, name: str, count: int) -> None:
        """Count items that a filter removed: unavailable, request_filters, excluded, rules and the like; 0 costs nothing."""
        if count:
            self._counter_of(self.filtered_items, "filter", name).inc(count)

    def fallback(self, stage: str, cause: FallbackCause) -> None:
        """Count a stage that fell back."""
        self._counter_of(self._fallbacks, "fallback", stage, cause).inc()

    def breaker(self, name: str) -> Gauge:
        """A dependency's circuit: `.set(CLOSED | HALF_OPEN | OPEN)`."""
        return self._breakers.labels(name)

    def explored(self, policy: str, kind: str, count: int = 1) -> None:
        """Count places that exploration filled; `kind` is "new" for items without evidence of their own, else "known"."""
        if count:
            self._counter_of(self.exploration_slots, "explored", policy, kind).inc(count)

    def observe_scores(self, surface: str, top_score: float, buy: NDArray[np.float32]) -> None:
        """Count the scores of one list.

        Args:
            surface: its surface.
            top_score: the final score of its first item.
            buy: float32 [k], predicted probability of a purchase by position, NaN where the ranker gave none.
        """
        self.surface(surface).top_score.observe(top_score)
        self.buy_probability.observe_list(buy)

    def bundle_served(self, bundle: str, version: int, collection: str, data_end_s: float) -> None:
        """Say which bundle is served from now on; `data_end_s` is a Unix time."""
        self._bundle_info.info({"bundle": bundle, "version": str(version), "collection": collection})
        self.bundle_data_end.set(data_end_s)
        self.bundle_loaded.set(1)

    def show_probes(self, every_seconds: float, clock: Clock) -> ProbeStations:
        """Show the station of probes, from now on; 0 seconds between two of them for none.

        Returns:
            Where probes are noted.
        """
        self._probe_interval.set(every_seconds)
        stations = (Station.TRANSFORMER,) if every_seconds else ()
        return ProbeStations.shown_by(self._probe_moments, self._probe_delays, stations, clock)

    def rules_in_force(self, version: str, rules: Sequence[tuple[str, str]]) -> RuleCounts:
        """Say which rules hold from now on; what the book's requests did is added to the counts returned.

        Args:
            version: the rule file's version.
            rules: id and action of each rule, in the book's order.
        """
        self._rules_info.info({"version": version})
        self.rules_loaded.set(len(rules))
        return self._effects.load(rules)

    def _counter_of(self, family: Counter, *key: str) -> Counter:
        bound = self._bound.get(key)
        if bound is None:
            bound = self._bound[key] = family.labels(*key[1:])
        return bound  # type: ignore[return-value]
