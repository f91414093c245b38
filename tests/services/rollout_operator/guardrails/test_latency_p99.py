"""The 99th percentile, from buckets."""

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.contracts.rollout import BuiltIn, Guardrail
from endcap_rollout_operator.guardrails.latency_p99 import quantile
from endcap_transformer.telemetry.metrics import LATENCY_BUCKETS_S
from tests.services.rollout_operator.guardrails.scene import Scene

BOUNDS = (0.01, 0.02, 0.05, 0.1, inf)


def buckets(*counts: int) -> dict[float, float]:
    return dict(zip(BOUNDS, np.cumsum(counts).tolist(), strict=True))


def test_it_lies_on_a_straight_line_within_its_bucket() -> None:
    assert quantile(buckets(0, 0, 200, 0, 0), 0.5) == pytest.approx(0.035)
    assert quantile(buckets(50, 50, 0, 0, 0), 0.5) == pytest.approx(0.01)


def test_above_the_highest_bound_nothing_is_known() -> None:
    assert quantile(buckets(90, 0, 0, 0, 10), 0.99) == inf


def test_without_lists_there_is_none() -> None:
    assert quantile(buckets(0, 0, 0, 0, 0), 0.99) is None
    assert quantile({}, 0.99) is None


@given(seconds=st.lists(st.floats(0.0001, 0.0999), min_size=1, max_size=300), share=st.floats(0.01, 1))
def test_it_is_in_the_bucket_of_the_true_quantile(seconds: list[float], share: float) -> None:
    counts = np.bincount(np.searchsorted(BOUNDS, seconds, side="left"), minlength=len(BOUNDS))
    found = quantile(buckets(*counts.tolist()), share)
    truth = np.quantile(seconds, share, method="inverted_cdf")
    place = int(np.searchsorted(BOUNDS, truth, side="left"))
    low = 0.0 if place == 0 else BOUNDS[place - 1]
    assert found is not None
    assert low - 1e-9 <= found <= BOUNDS[place] + 1e-9


def test_prometheus_finds_the_same(scene: Scene) -> None:
    pod = scene.pod(scene.version())
    pod.answer(4000, latencies_s={0.004: 0.5, 0.012: 0.4, 0.045: 0.095, 0.09: 0.005})
    scene.scraped(pod)
    guardrail = Guardrail(name="latency-p99", built_in=BuiltIn.LATENCY_P99, limit=0.05)
    of_prometheus = f'histogram_quantile(0.99, sum by (le) (rate(endcap_list_seconds_bucket{{instance="{pod.target}"}}[10m])))'
    assert scene.measured(guardrail, pod.version, None).value == pytest.approx(scene.server.value(of_prometheus), rel=1e-3)


def test_a_limit_above_the_highest_bucket_cannot_be_held(scene: Scene) -> None:
    pod = scene.pod(scene.version())
    pod.answer(1000, latencies_s={3.0: 1.0})
    scene.scraped(pod)
    high, low = (Guardrail(name="latency-p99", built_in=BuiltIn.LATENCY_P99, limit=limit) for limit in (2.0, 0.5))
    beyond = scene.measured(high, pod.version, None)
    assert beyond.verdict == "missing"
    assert "highest bucket" in beyond.message
    kept = scene.measured(low, pod.version, None)
    assert (kept.verdict, kept.value) == ("fail", max(LATENCY_BUCKETS_S))
