"""A guardrail of one's own."""

import pytest

from endcap.contracts.rollout import Guardrail
from tests.services.rollout_operator.guardrails.scene import Scene

PER_POD = 'endcap_lists_total and on (instance) endcap_bundle_info{version="${candidate}"}'


def own(query: str, limit: float = 0.5, direction: str = "atMost") -> Guardrail:
    return Guardrail(name="own", query=query, limit=limit, direction=direction)


def test_versions_and_window_are_filled_in(scene: Scene) -> None:
    candidate, stable = scene.pod(scene.version()), scene.pod(scene.version())
    candidate.answer(1000)
    stable.answer(4000)
    scene.scraped(candidate, stable)
    of_all = 'sum(increase(endcap_lists_total[${window}]) and on (instance) endcap_bundle_info{version="%s"})'
    query = f"{of_all % '${candidate}'} / {of_all % '${stable}'}"
    measured = scene.measured(own(query), candidate.version, stable.version)
    assert measured.verdict == "pass", measured
    assert measured.value == pytest.approx(0.25, rel=0.4)
    assert f'version="{candidate.version}"' in measured.message
    assert scene.measured(own(query, limit=0.1), candidate.version, stable.version).verdict == "fail"
    assert scene.measured(own(query, limit=0.1, direction="atLeast"), candidate.version, stable.version).verdict == "pass"
    assert scene.measured(own(query, limit=0.45, direction="atLeast"), candidate.version, stable.version).verdict == "fail"


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("sum(no_such_metric)", "no finite number"),
        ("vector(0) / vector(0)", "no finite number"),
        ("vector(1) / vector(0)", "no finite number"),
        ("sum(endcap_lists_total", "Prometheus refuses it"),
        ("endcap_bundle_info", "must have one number as its result"),
        ("endcap_lists_total[1m]", "must have one number as its result"),
        ("vector(${share})", "unknown name"),
        ("vector(${stable})", "no stable version"),
    ],
)
def test_a_query_without_one_number_is_missing_and_says_why(scene: Scene, query: str, why: str) -> None:
    measured = scene.measured(own(query), 1, None)
    assert measured.verdict == "missing"
    assert measured.value is None
    assert why in measured.message


def test_a_scalar_is_a_number_too(scene: Scene) -> None:
    assert scene.measured(own("scalar(vector(0.25))"), 1, None).value == 0.25
