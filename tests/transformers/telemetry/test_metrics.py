"""What comes out on /metrics for what went in."""

import math

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from endcap_transformer.server.http_layers import MetricsPage, metrics_text
from endcap_transformer.telemetry.histograms import OTHER, HistogramFamily
from endcap_transformer.telemetry.metrics import OPEN, ServingMetrics

BOUNDS = (0.001, 0.01, 0.1, 1.0)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> ServingMetrics:
    return ServingMetrics(registry)


@given(st.lists(st.floats(min_value=0, max_value=3) | st.sampled_from(BOUNDS)))
def test_histogram_is_what_prometheus_client_makes_of_the_same_values(values: list[float]) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    fast = HistogramFamily("h", "Help.", "stage", BOUNDS, ours)
    plain = Histogram("h", "Help.", ["stage"], buckets=BOUNDS, registry=theirs)
    for value in values:
        fast.labels("rank").observe(value)
        plain.labels("rank").observe(value)
    wanted = [line for line in generate_latest(theirs).decode().splitlines() if "_created" not in line]
    assert generate_latest(ours).decode().splitlines() == wanted


def test_label_values_are_bounded(registry: CollectorRegistry) -> None:
    family = HistogramFamily("h", "Help.", "surface", BOUNDS, registry, values_max=2)
    for name in ("home", "cart", "made up 1", "made up 2", "home"):
        family.labels(name).observe(0.5)
    assert registry.get_sample_value("h_count", {"surface": "home"}) == 2
    assert registry.get_sample_value("h_count", {"surface": OTHER}) == 2
    assert registry.get_sample_value("h_count", {"surface": "made up 1"}) is None


def test_stages_sources_and_surfaces(metrics: ServingMetrics, registry: CollectorRegistry) -> None:
    metrics.observe_stages({"rank": 12.0, "total": 49.9})
    metrics.stage("rank").observe(0.004)
    metrics.source("two_tower").seconds.observe(0.008)
    metrics.source("two_tower").candidates.observe(400)
    metrics.surface("home").lists.inc()
    metrics.surface("home").degraded.inc()
    metrics.surface("home").seconds.observe(0.05)
    value = registry.get_sample_value
    assert value("endcap_stage_seconds_sum", {"stage": "rank"}) == pytest.approx(0.016)
    assert value("endcap_source_seconds_count", {"source": "two_tower"}) == 1
    assert value("endcap_source_candidates_bucket", {"source": "two_tower", "le": "300.0"}) == 0
    assert value("endcap_lists_total", {"surface": "home"}) == value("endcap_degraded_lists_total", {"surface": "home"}) == 1
    assert value("endcap_list_seconds_bucket", {"surface": "home", "le": "0.05"}) == 1


def test_degradation(metrics: ServingMetrics, registry: CollectorRegistry) -> None:
    metrics.fallback("rank", "late")
    metrics.fallback("rank", "late")
    metrics.breaker("milvus").set(OPEN)
    cache = metrics.cache("query")
    cache.hit()
    cache.miss()
    cache.stale()
    cache.entries.set(17)
    metrics.filtered("unavailable", 40)
    metrics.filtered("rules", 0)
    metrics.explored("thompson", "new")
    value = registry.get_sample_value
    assert value("endcap_fallbacks_total", {"stage": "rank", "cause": "late"}) == 2
    assert value("endcap_breaker_state", {"dependency": "milvus"}) == 2
    assert [value("endcap_cache_lookups_total", {"cache": "query", "outcome": each}) for each in ("hit", "miss", "stale")] == [1, 1, 1]
    assert value("endcap_filtered_total", {"filter": "unavailable"}) == 40
    assert value("endcap_filtered_total", {"filter": "rules"}) is None
    assert value("endcap_exploration_slots_total", {"policy": "thompson", "kind": "new"}) == 1


def test_what_must_stay_zero_is_exposed_before_it_happens(registry: CollectorRegistry, metrics: ServingMetrics) -> None:
    for name in ("endcap_empty_answers_total", "endcap_impressions_dropped_total", "endcap_draining", "endcap_bundle_loaded"):
        assert registry.get_sample_value(name) == 0
    assert registry.get_sample_value("endcap_failed_total", {"protocol": "grpc"}) == 0
    assert registry.get_sample_value("endcap_shed_total", {"protocol": "http"}) == 0
    assert registry.get_sample_value("endcap_rule_file_ok") == 1


def test_probabilities_are_counted_by_position_and_unknown_ones_left_out(registry: CollectorRegistry, metrics: ServingMetrics) -> None:
    metrics.observe_scores("home", 0.4, np.array([0.4, 0.3, np.nan, 0.1], dtype=np.float32))
    metrics.observe_scores("home", 0.2, np.full(500, 0.05, dtype=np.float32))
    metrics.observe_scores("email", 0.2, np.zeros(0, dtype=np.float32))
    counts = {
        band: registry.get_sample_value("endcap_shown_buy_probability_count", {"position": band}) for band in ("1", "2-3", "4-10", "11-20")
    }
    assert counts == {"1": 2, "2-3": 3, "4-10": 8, "11-20": 10}
    assert math.isclose(registry.get_sample_value("endcap_shown_buy_probability_sum", {"position": "1"}) or 0, 0.45, rel_tol=1e-6)
    assert registry.get_sample_value("endcap_top_score_count", {"surface": "home"}) == 2


def test_bundle_info_names_the_served_bundle_alone(registry: CollectorRegistry, metrics: ServingMetrics) -> None:
    metrics.bundle_served("endcap-1", 1, "endcap_1", 1e9)
    metrics.bundle_served("endcap-2", 2, "endcap_2", 2e9)
    assert [line for line in generate_latest(registry).decode().splitlines() if line.startswith("endcap_bundle_info")] == [
        'endcap_bundle_info{bundle="endcap-2",collection="endcap_2",version="2"} 1.0'
    ]
    assert registry.get_sample_value("endcap_bundle_data_end_timestamp_seconds") == 2e9
    assert registry.get_sample_value("endcap_bundle_loaded") == 1


def test_rule_effects_follow_the_book(registry: CollectorRegistry, metrics: ServingMetrics) -> None:
    first = metrics.rules_in_force("1", [("own-brand", "boost"), ("recalled", "exclude")])
    first.add(np.array([3, 0]))
    second = metrics.rules_in_force("2", [("own-brand", "boost"), ("autumn", "pin")])
    second.add(np.array([2, 1]))
    first.add(np.array([9, 9]))  # a request that began before the reload
    value = registry.get_sample_value
    assert value("endcap_rule_effects_total", {"rule": "own-brand", "action": "boost"}) == 5
    assert value("endcap_rule_lists_total", {"rule": "own-brand", "action": "boost"}) == 2
    assert value("endcap_rule_effects_total", {"rule": "autumn", "action": "pin"}) == 1
    assert value("endcap_rule_effects_total", {"rule": "recalled", "action": "exclude"}) is None
    assert value("endcap_rules_info", {"version": "2"}) == 1
    assert value("endcap_rules_info", {"version": "1"}) is None
    assert value("endcap_rules_loaded") == 2


async def test_page_in_pieces_says_what_the_whole_one_does(registry: CollectorRegistry, metrics: ServingMetrics) -> None:
    metrics.rules_in_force("1", [(f"rule-{number}", "boost") for number in range(200)])
    metrics.observe_stages({f"stage-{number}": 1.0 for number in range(20)})
    page = await metrics_text(registry)
    assert page == generate_latest(registry)
    assert {family.name for family in text_string_to_metric_families(page.decode())} >= {"endcap_stage_seconds", "endcap_rule_effects"}


async def test_page_answers_for_metrics_alone(registry: CollectorRegistry, metrics: ServingMetrics) -> None:
    async def next_app(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 418, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async with httpx.AsyncClient(transport=httpx.ASGITransport(MetricsPage(next_app, registry)), base_url="http://test") as client:
        page = await client.get("/metrics")
        others = [await client.get("/v1/models"), await client.post("/metrics")]
    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "endcap_empty_answers_total 0.0" in page.text
    assert [response.status_code for response in others] == [418, 418]
