import pytest

from endcap_benchmarks.serving.load.plan import Exchange, LoadPlan
from endcap_benchmarks.serving.stage import Stretch
from endcap_benchmarks.serving.summary import summary
from endcap_benchmarks.serving.usage import Usage, between, candidates_mean, metric, reading

PLAN = LoadPlan("http", 1, "endcap", [], [])
CPU = {"transformer": 1.0, "model server": 2.0, "milvus": 1.0, "load generator": 0.5}
METRICS = """# HELP endcap_own_cpu_seconds_total x
endcap_own_cpu_seconds_total 1.5
endcap_cache_lookups_total{cache="answers",outcome="hit"} 3.0
endcap_cache_lookups_total{cache="answers",outcome="miss"} 4.0
endcap_ranked_candidates_sum 5000.0
endcap_ranked_candidates_count 6.0
"""


def stretch(exchanges: list[Exchange], own_s: float | None = None) -> Stretch:
    return Stretch(PLAN, exchanges, Usage(seconds=10.0, cpu_s=CPU, other_cpu_s=2.0, own_s=own_s, load_average=0.5))


def answered(due_s: float, took_s: float, **fields) -> Exchange:
    given = {"timings_ms": {"rank": took_s * 500}, "degraded": [], "items": 20}
    return Exchange("home", due_s, due_s + 0.001, due_s + took_s, 200, **given | fields)


def test_percentiles_are_of_answered_requests_by_stage() -> None:
    figures = summary(stretch([answered(number, 0.01 + number / 1000) for number in range(11)]))
    assert figures["p50_ms"] == {"whole": 15.0, "rank": 7.5}
    assert figures["p99_ms"]["whole"] == pytest.approx(19.9)
    assert figures["requests_per_second"] == 1.1
    assert figures["send_lag_p50_ms"] == 1.0


def test_errors_refusals_and_fall_backs_are_counted_apart() -> None:
    exchanges = [
        answered(0, 0.01),
        answered(1, 0.01, degraded=["rank", "query"]),
        answered(2, 0.01, items=0),
        Exchange("home", 3, 3, 3.1, 429, retry_after=True),
        Exchange("home", 4, 4, None, 0),
        Exchange("home", 5, 5, 5.1, 500),
    ]
    figures = summary(stretch(exchanges))
    assert (figures["requests"], figures["errors"], figures["empty_lists"]) == (6, 2, 1)
    assert figures["shed_share"] == pytest.approx(1 / 6, abs=1e-4)
    assert figures["degraded"] == {"rank": 1, "query": 1}


def test_shares_of_cpu_leave_the_load_generator_out() -> None:
    figures = summary(stretch([answered(0, 0.01)] * 100, own_s=0.15))
    assert figures["own_cpu_share"] == 0.25
    assert figures["own_stages_cpu_share"] == pytest.approx(0.15 / 4, abs=1e-4)
    assert figures["own_stages_cpu_ms_a_request"] == 1.5
    assert figures["cpu_ms_a_request"]["load generator"] == 5.0


def test_metrics_are_summed_over_labels_or_taken_alone() -> None:
    assert metric(METRICS, "endcap_own_cpu_seconds_total") == 1.5
    assert metric(METRICS, "endcap_cache_lookups_total") == 7.0
    assert metric(METRICS, 'endcap_cache_lookups_total{cache="answers",outcome="hit"}') == 3.0
    assert metric(METRICS, "endcap_nothing") is None


def test_candidates_are_counted_between_two_scrapes() -> None:
    later = METRICS.replace("5000.0", "8000.0").replace("count 6.0", "count 10.0")
    assert candidates_mean(METRICS, later) == 750.0
    assert candidates_mean("", "") is None


def test_usage_is_what_two_readings_differ_by(monkeypatch) -> None:
    import psutil

    monkeypatch.setattr("endcap_benchmarks.serving.usage.own_cpu_s", lambda _port: 1.0)
    me = {"test": psutil.Process()}
    first = reading(me, 0)
    sum(range(2_000_000))
    used = between(first, reading(me, 0))
    assert used.cpu_s["test"] > 0
    assert used.own_s == 0.0
    assert used.other_cpu_s >= 0
