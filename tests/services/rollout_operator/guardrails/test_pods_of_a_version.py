"""Whose numbers count, and since when."""

import pytest

from endcap.contracts.rollout import Analysis, Measurement
from endcap_rollout_operator.guardrails.guardrails import Guardrails
from tests.services.rollout_operator.guardrails.scene import Scene
from tests.services.rollout_operator.guardrails.test_built_ins import CLICKS, DRIFT, EMPTY, ERROR_RATE, LATENCY


def test_errors_of_the_stable_version_are_not_the_candidates(scene: Scene) -> None:
    candidate, stable = scene.pod(scene.version()), scene.pod(scene.version())
    candidate.answer(2000)
    stable.answer(2000, error_share=0.5, empty_share=0.1)
    scene.scraped(candidate, stable)
    measured = scene.measured(ERROR_RATE, candidate.version, stable.version)
    assert (measured.verdict, measured.value) == ("pass", 0)
    assert measured.stable == pytest.approx(0.5, rel=0.05)
    assert scene.measured(EMPTY, candidate.version, stable.version).verdict == "pass"


def test_all_pods_of_a_version_count_together(scene: Scene) -> None:
    version = scene.version()
    one, other = scene.pods(version, 2)
    one.answer(3000)
    other.answer(1000, error_share=0.2)
    scene.scraped(one, other)
    measured = scene.measured(ERROR_RATE, version, None)
    assert measured.verdict == "fail"
    assert measured.value == pytest.approx(0.05, rel=0.1)


def test_a_pod_that_is_gone_still_counts_with_what_it_did(scene: Scene) -> None:
    version = scene.version()
    crashed, alive = scene.pods(version, 2)
    crashed.answer(500, error_share=1.0)
    alive.answer(1500)
    scene.scraped(crashed, alive)
    crashed.close()
    scene.server.wait_for(f'up{{instance="{crashed.target}"}}', lambda up: up == 0)
    assert scene.server.value(f'endcap_failed_total{{instance="{crashed.target}"}}') is None
    measured = scene.measured(ERROR_RATE, version, None)
    assert measured.verdict == "fail", measured
    assert measured.value == pytest.approx(0.25, rel=0.15)


def test_a_container_that_started_anew_loses_nothing(scene: Scene) -> None:
    pod = scene.pod(scene.version())
    pod.answer(1000, error_share=0.1)
    scene.scraped(pod)
    pod.restart()
    scene.scraped(pod)
    pod.answer(1000)
    scene.scraped(pod)
    measured = scene.measured(ERROR_RATE, pod.version, None)
    assert measured.value == pytest.approx(0.05, rel=0.1)
    requests = scene.guardrails().requests_since(pod.version, scene.since)
    assert requests == pytest.approx(1900, rel=0.1)


def test_a_pod_that_served_another_version_meanwhile_is_left_out(scene: Scene) -> None:
    old, new = scene.version(), scene.version()
    switched, pure = scene.pod(old), scene.pod(new)
    switched.answer(1000, error_share=1.0)
    scene.scraped(switched)
    switched.serve(new)
    pure.answer(1000)
    scene.scraped(switched, pure)
    measured = scene.measured(ERROR_RATE, new, old)
    assert (measured.verdict, measured.value) == ("pass", 0)


def test_what_was_before_the_step_does_not_count(scene: Scene) -> None:
    pod = scene.pod(scene.version())
    pod.answer(40_000, error_share=0.5, latencies_s={0.012: 0.5, 0.2: 0.5})
    scene.scraped(pod)
    assert scene.measured(ERROR_RATE, pod.version, None).verdict == "fail"
    since = scene.begin(pod)
    pod.answer(2000)
    scene.scraped(pod)
    assert scene.measured(ERROR_RATE, pod.version, None, since=since).value == 0
    assert scene.measured(LATENCY, pod.version, None, since=since).verdict == "pass"
    requests = scene.guardrails().requests_since(pod.version, since)
    assert requests is not None
    assert 2000 <= requests < 2000 * 2.5, "extrapolated over a window of few scrapes, but nothing of before"


def test_a_candidate_that_goes_bad_under_way_is_found(scene: Scene) -> None:
    pod = scene.pod(scene.version())
    pod.change(requests_per_second=1000)
    scene.server.wait_for(f'endcap_lists_total{{instance="{pod.target}"}}', lambda lists: lists is not None and lists > 300)
    assert scene.measured(ERROR_RATE, pod.version, None).value == 0
    pod.change(error_share=0.5)
    scene.server.wait_for(f'sum(endcap_failed_total{{instance="{pod.target}"}})', lambda failed: failed is not None and failed > 300)
    pod.change(requests_per_second=0)
    assert scene.measured(ERROR_RATE, pod.version, None).verdict == "fail"


def test_a_step_of_this_moment_has_no_data(scene: Scene) -> None:
    pod = scene.pod(scene.version())
    pod.answer(2000)
    scene.scraped(pod)
    measured = scene.measured(ERROR_RATE, pod.version, None, since=scene.now())
    assert measured.verdict == "missing"
    assert "just begun" in measured.message


def test_requests_of_an_unknown_version_are_unknown(scene: Scene) -> None:
    assert scene.guardrails().requests_since(999_999, scene.since) is None


def test_requests_are_those_of_all_pods(scene: Scene) -> None:
    version = scene.version()
    pods = scene.pods(version, 3)
    for pod in pods:
        pod.answer(1000, error_share=0.1)
    scene.scraped(*pods)
    assert scene.guardrails().requests_since(version, scene.since) == pytest.approx(2700, rel=0.1)


def test_scores_of_a_stable_version_without_traffic_are_those_before_the_step(scene: Scene) -> None:
    candidate, stable = scene.pod(scene.version()), scene.pod(scene.version())
    stable.answer(3000)
    scene.scraped(stable)
    since = scene.begin(candidate, stable)
    candidate.answer(3000)
    scene.scraped(candidate, stable)
    measured = scene.measured(DRIFT, candidate.version, stable.version, since=since)
    assert measured.verdict == "pass", measured
    assert "before the step" in measured.message


def test_outcomes_without_impressions_of_the_stable_version_leave_what_was_measured_last(scene: Scene) -> None:
    candidate, stable = scene.version(), scene.version()
    scene.shown(stable, 200_000, clicks=10_000)
    scene.shown(candidate, 200_000, clicks=10_000)
    scene.scraped()
    last = scene.measured(CLICKS, candidate, stable)
    assert last.verdict == "pass"
    since = scene.begin()
    scene.shown(candidate, 1000, clicks=50)
    scene.scraped()
    stands = scene.measured(CLICKS, candidate, stable, since=since, before=[last])
    assert (stands.verdict, stands.value, stands.stable) == ("pass", last.value, last.stable)
    assert stands.at > last.at
    assert "stands" in stands.message
    assert scene.measured(CLICKS, candidate, stable, since=since).verdict == "missing"
    failed = last.model_copy(update={"verdict": "fail", "failures": 1})
    after_failure = scene.measured(CLICKS, candidate, stable, since=since, before=[failed])
    assert (after_failure.verdict, after_failure.failures) == ("missing", 1)


def test_installations_that_serve_the_same_version_are_told_apart_by_matchers(scene: Scene) -> None:
    version = scene.version()
    here, elsewhere = scene.pods(version, 2)
    here.answer(1000)
    elsewhere.answer(1000, error_share=0.5)
    scene.scraped(here, elsewhere)
    analysis = Analysis(guardrails=[ERROR_RATE])
    (together,) = Guardrails(scene.prometheus, scene.now).measure(analysis, version, None, scene.since, [])
    (apart,) = Guardrails(scene.prometheus, scene.now, f'instance="{here.target}"').measure(analysis, version, None, scene.since, [])
    assert (together.verdict, apart.verdict) == ("fail", "pass")


def test_failures_in_a_row_are_counted_on(scene: Scene) -> None:
    pod = scene.pod(scene.version())
    pod.answer(1000, error_share=0.5)
    scene.scraped(pod)
    before: list[Measurement] = []
    for expected in (1, 2, 3):
        before = [scene.measured(ERROR_RATE, pod.version, None, before=before)]
        assert before[0].failures == expected
