"""Each of endcap's own guardrails, measured by a real Prometheus: passes, trips, and is missing."""

import re
from datetime import timedelta

import pytest

from endcap.contracts.rollout import DEFAULT_GUARDRAILS, Analysis, BuiltIn, Guardrail, Pause, RolloutBundle, RolloutSpec, Step
from endcap_rollout_operator.guardrails.guardrails import BUILT_INS
from tests.made_metrics import MadeTransformer
from tests.services.rollout_operator.guardrails.scene import Scene

ERROR_RATE = Guardrail(name="error-rate", built_in=BuiltIn.ERROR_RATE, limit=0.01)
LATENCY = Guardrail(name="latency-p99", built_in=BuiltIn.LATENCY_P99, limit=0.05)
DEGRADED = Guardrail(name="degraded-share", built_in=BuiltIn.DEGRADED_SHARE, limit=0.05)
EMPTY = Guardrail(name="empty-share", built_in=BuiltIn.EMPTY_SHARE, limit=0)
DRIFT = Guardrail(name="score-drift", built_in=BuiltIn.SCORE_DRIFT, limit=0.25)
CLICKS = Guardrail(name="click-through", built_in=BuiltIn.CLICK_THROUGH, limit=-0.05, direction="atLeast")
PURCHASES = Guardrail(name="conversion", built_in=BuiltIn.CONVERSION, limit=-0.05, direction="atLeast")
OF_REQUESTS = [ERROR_RATE, LATENCY, DEGRADED, EMPTY, DRIFT]


def pair(scene: Scene) -> tuple[MadeTransformer, MadeTransformer]:
    """A pod of a candidate and one of a stable version that has answered thousands of requests well."""
    candidate, stable = scene.pod(scene.version()), scene.pod(scene.version())
    stable.answer(5000)
    return candidate, stable


def test_every_built_in_is_measured_by_something() -> None:
    assert set(BUILT_INS) == set(BuiltIn)


def test_a_good_candidate_passes_all_guardrails_there_are_by_default(scene: Scene) -> None:
    candidate, stable = pair(scene)
    candidate.answer(3000)
    scene.scraped(candidate, stable)
    measured = [scene.measured(each, candidate.version, stable.version) for each in DEFAULT_GUARDRAILS]
    assert [each.verdict for each in measured] == ["pass"] * len(DEFAULT_GUARDRAILS), measured
    assert {each.name: each.value for each in measured if each.name in ("error-rate", "degraded-share", "empty-share")} == {
        "error-rate": 0,
        "degraded-share": 0,
        "empty-share": 0,
    }
    assert {each.name: each.failures for each in measured} == {each.name: 0 for each in DEFAULT_GUARDRAILS}


MANY_BAD = [
    (ERROR_RATE, {"error_share": 0.03}, 0.03),
    (DEGRADED, {"degraded_share": 0.2}, 0.2),
    (EMPTY, {"empty_share": 0.001}, 0.001),
    (LATENCY, {"latencies_s": {0.012: 0.97, 0.08: 0.03}}, 0.09166),
]
FEW_BAD = [
    (ERROR_RATE, {"error_share": 0.5}),
    (DEGRADED, {"degraded_share": 0.9}),
    (EMPTY, {"empty_share": 0.05}),
    (LATENCY, {"latencies_s": {0.2: 1.0}}),
]


@pytest.fixture(scope="module")
def stable(scene: Scene) -> int:
    """A stable version that has answered thousands of requests well."""
    pod = scene.pod(scene.version())
    pod.answer(5000)
    scene.scraped(pod)
    return pod.version


@pytest.fixture(scope="module")
def many_bad(scene: Scene) -> dict[str, int]:
    """Versions with thousands of requests, each bad in one way, by the guardrail that has to find it."""
    return answered(scene, 3000, {guardrail.name: wrong for guardrail, wrong, _ in MANY_BAD})


@pytest.fixture(scope="module")
def few_bad(scene: Scene) -> dict[str, int]:
    """The same with twenty requests, and worse."""
    return answered(scene, 20, {guardrail.name: wrong for guardrail, wrong in FEW_BAD})


@pytest.fixture(scope="module")
def few_good(scene: Scene) -> int:
    """A version with twenty good requests."""
    return answered(scene, 20, {"good": {}})["good"]


def answered(scene: Scene, requests: int, how: dict[str, dict]) -> dict[str, int]:
    pods = {name: scene.pod(scene.version()) for name in how}
    for name, changes in how.items():
        pods[name].answer(requests, **changes)
    scene.scraped(*pods.values())
    return {name: pod.version for name, pod in pods.items()}


def named(value: object) -> str:
    return value.name if isinstance(value, Guardrail) else ""


@pytest.mark.parametrize(("guardrail", "value"), [(guardrail, value) for guardrail, _, value in MANY_BAD], ids=named)
def test_a_bad_candidate_trips_and_its_value_is_what_it_did(
    scene: Scene, many_bad: dict[str, int], stable: int, guardrail: Guardrail, value: float
) -> None:
    measured = scene.measured(guardrail, many_bad[guardrail.name], stable)
    assert measured.verdict == "fail", measured
    assert measured.failures == 1
    assert measured.value == pytest.approx(value, rel=0.1)
    assert measured.stable is not None
    assert measured.stable <= guardrail.limit
    assert re.search(r"\d,\d{3} (lists|requests)", measured.message), measured.message


def test_scores_of_another_distribution_trip_the_drift(scene: Scene) -> None:
    candidate, stable = pair(scene)
    candidate.answer(3000, top_scores={0.04: 0.2, 0.08: 0.3, 0.25: 0.5})
    scene.scraped(candidate, stable)
    measured = scene.measured(DRIFT, candidate.version, stable.version)
    assert measured.verdict == "fail", measured
    assert measured.value is not None
    assert measured.value > 1


def shown(scene: Scene, **of_candidate: int) -> tuple[int, int]:
    """A candidate with these outcomes, and a stable version with many."""
    candidate, stable = scene.version(), scene.version()
    scene.shown(stable, 200_000, clicks=10_000, purchases=2000)
    scene.shown(candidate, **of_candidate)
    scene.scraped()
    return candidate, stable


@pytest.fixture(scope="module")
def fewer_outcomes(scene: Scene) -> tuple[int, int]:
    return shown(scene, impressions=20_000, clicks=700, purchases=120)


@pytest.fixture(scope="module")
def equal_outcomes(scene: Scene) -> tuple[int, int]:
    return shown(scene, impressions=20_000, clicks=1000, purchases=200)


@pytest.fixture(scope="module")
def hardly_any_outcomes(scene: Scene) -> tuple[int, int]:
    return shown(scene, impressions=300, clicks=15, purchases=3)


@pytest.mark.parametrize("guardrail", [CLICKS, PURCHASES], ids=named)
def test_fewer_outcomes_than_chance_allows_trip(scene: Scene, fewer_outcomes: tuple[int, int], guardrail: Guardrail) -> None:
    measured = scene.measured(guardrail, *fewer_outcomes)
    assert measured.verdict == "fail", measured
    assert measured.value is not None
    assert -0.4 < measured.value < -0.05
    assert measured.stable == pytest.approx(0.05 if guardrail is CLICKS else 0.01)
    assert re.search(r"against [\d,]+ (clicks|purchases) of 2\d\d,\d{3} impressions", measured.message), measured.message


@pytest.mark.parametrize("guardrail", [CLICKS, PURCHASES], ids=named)
def test_equal_outcomes_pass(scene: Scene, equal_outcomes: tuple[int, int], guardrail: Guardrail) -> None:
    measured = scene.measured(guardrail, *equal_outcomes)
    assert measured.verdict == "pass", measured
    assert measured.value is not None
    assert measured.value > 0


def test_alpha_is_divided_by_the_steps_that_each_compare_anew(scene: Scene, equal_outcomes: tuple[int, int]) -> None:
    in_one, in_five = (scene.measured(CLICKS, *equal_outcomes, steps=steps).value for steps in (1, 5))
    assert in_one is not None
    assert in_five is not None
    assert in_five > in_one


@pytest.mark.parametrize("guardrail", [*OF_REQUESTS, CLICKS, PURCHASES], ids=named)
def test_a_candidate_without_data_is_missing_and_no_success(scene: Scene, guardrail: Guardrail) -> None:
    stable = scene.version()
    scene.shown(stable, 1000, 50, 10)
    measured = scene.measured(guardrail, 999_999, stable)
    assert measured.verdict == "missing"
    assert measured.value is None
    assert measured.message


@pytest.mark.parametrize("guardrail", OF_REQUESTS, ids=named)
def test_a_few_good_requests_are_no_success(scene: Scene, few_good: int, stable: int, guardrail: Guardrail) -> None:
    measured = scene.measured(guardrail, few_good, stable)
    assert measured.verdict == "missing", measured
    assert "needed" in measured.message


@pytest.mark.parametrize("guardrail", [guardrail for guardrail, _ in FEW_BAD], ids=named)
def test_a_few_requests_are_enough_where_chance_cannot_be_the_reason(
    scene: Scene, few_bad: dict[str, int], stable: int, guardrail: Guardrail
) -> None:
    assert scene.measured(guardrail, few_bad[guardrail.name], stable).verdict == "fail"


def test_one_error_in_a_few_requests_is_nothing_yet(scene: Scene) -> None:
    candidate, stable = pair(scene)
    candidate.answer(20, error_share=0.05)
    scene.scraped(candidate, stable)
    measured = scene.measured(ERROR_RATE, candidate.version, stable.version)
    assert measured.verdict == "missing"
    assert measured.value == pytest.approx(0.05, rel=0.2)


@pytest.mark.parametrize("guardrail", [CLICKS, PURCHASES], ids=named)
def test_too_few_impressions_to_tell_the_worst_candidate_are_no_success(
    scene: Scene, hardly_any_outcomes: tuple[int, int], guardrail: Guardrail
) -> None:
    measured = scene.measured(guardrail, *hardly_any_outcomes)
    assert measured.verdict == "missing"
    assert "too few" in measured.message


@pytest.mark.parametrize("guardrail", [DRIFT, CLICKS, PURCHASES], ids=named)
def test_without_a_stable_version_a_comparison_is_missing(scene: Scene, guardrail: Guardrail) -> None:
    measured = scene.measured(guardrail, scene.version(), None)
    assert measured.verdict == "missing"
    assert "no stable version" in measured.message


@pytest.mark.parametrize("guardrail", [CLICKS, PURCHASES], ids=named)
def test_lists_of_the_step_before_are_not_of_this_one(scene: Scene, fewer_outcomes: tuple[int, int], guardrail: Guardrail) -> None:
    waiting = scene.guardrails(outcome_window=timedelta(days=1))
    (measured,) = waiting.measure(Analysis(guardrails=[guardrail]), *fewer_outcomes, scene.since)
    assert measured.verdict == "missing"
    assert "lists of this step are counted 86400 s after they were shown" in measured.message


def test_a_rollout_whose_steps_are_too_short_for_its_outcomes_is_refused(scene: Scene) -> None:
    bundle = RolloutBundle(version=1, storage_uri="pvc://b", collection="c")
    spec = RolloutSpec(
        target="shop", bundle=bundle, steps=[Step(set_weight=50, pause=Pause(duration="30m"))], analysis=Analysis(guardrails=[CLICKS])
    )
    assert "steps[0].pause.duration" in scene.guardrails(outcome_window=timedelta(minutes=30)).refusal(spec)
    assert not scene.guardrails(outcome_window=timedelta(minutes=29)).refusal(spec)


def test_more_clicks_than_impressions_are_a_mistake_of_the_counters(scene: Scene) -> None:
    candidate, stable = scene.version(), scene.version()
    scene.shown(stable, 1000, clicks=50)
    scene.shown(candidate, 1000, clicks=3000)
    scene.scraped()
    measured = scene.measured(CLICKS, candidate, stable)
    assert measured.verdict == "missing"
    assert "counted wrongly" in measured.message
