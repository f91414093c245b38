"""The guide's example works, and its tables and queries are the code's."""

import re
from pathlib import Path

import httpx
import pytest
import yaml

from endcap.contracts.rollout import DEFAULT_GUARDRAILS, BuiltIn, Guardrail
from endcap_rollout_operator.guardrails import click_through, conversion, score_drift, share
from endcap_rollout_operator.guardrails.look import Look
from endcap_rollout_operator.guardrails.prometheus import Prometheus
from endcap_rollout_operator.guardrails.relative_outcome import IMPRESSIONS
from endcap_transformer.telemetry.metrics import LATENCY_BUCKETS_S
from tests.services.rollout_operator.guardrails.scene import Scene

GUIDE = (Path(__file__).parents[4] / "docs" / "guardrails.md").read_text()
TABLE = dict(re.findall(r"^\| `(\w+)` \|(?: [^|]+\|){2} ([^|`]+(?:`[^`]+`)?) \| [^|]+ \|$", GUIDE, flags=re.MULTILINE))


def example() -> Guardrail:
    block = re.search(r"<!-- example -->\n```yaml\n(.+?)```", GUIDE, flags=re.DOTALL)
    assert block is not None
    (written,) = yaml.safe_load(block[1])
    return Guardrail.model_validate(written)


@pytest.mark.parametrize(("slower", "verdict"), [(1.0, "pass"), (1.5, "fail")])
def test_the_example_measures_what_it_says(scene: Scene, slower: float, verdict: str) -> None:
    candidate, stable = scene.pod(scene.version()), scene.pod(scene.version())
    stable.answer(3000, latencies_s={0.01: 1.0})
    candidate.answer(1000, latencies_s={0.01 * slower: 1.0})
    scene.scraped(candidate, stable)
    measured = scene.measured(example(), candidate.version, stable.version)
    assert measured.verdict == verdict, measured
    assert measured.value == pytest.approx(slower, rel=0.02)


def test_the_other_example_is_a_guardrail() -> None:
    block = re.search(r"```yaml\n(- name: click-through.+?)```", GUIDE, flags=re.DOTALL)
    assert block is not None
    (written,) = yaml.safe_load(block[1])
    assert Guardrail.model_validate(written).built_in is BuiltIn.CLICK_THROUGH


def test_every_built_in_is_in_the_table_with_its_limit() -> None:
    assert set(TABLE) - {"builtIn"} == {each.value for each in BuiltIn}
    by_default = {each.built_in: each for each in DEFAULT_GUARDRAILS}
    for built_in in BuiltIn:
        guardrail = by_default.get(built_in)
        limit = "not on by default" if guardrail is None else f"{guardrail.limit:g}"
        if guardrail is not None and guardrail.failure_limit:
            limit += f", `failureLimit: {guardrail.failure_limit}`"
        assert TABLE[built_in.value] == limit


def test_the_query_of_a_versions_pods_is_the_codes() -> None:
    queries = []

    def answer(request: httpx.Request) -> httpx.Response:
        queries.append(dict(httpx.QueryParams(request.content.decode()))["query"])
        return httpx.Response(200, json={"status": "success", "data": {"resultType": "vector", "result": []}})

    client = httpx.Client(base_url="http://prometheus", transport=httpx.MockTransport(answer))
    look = Look(Prometheus(client), 0.0, candidate=7, stable=None, window_s=300, elapsed_s=900, full_window_s=300)
    assert look.increase("endcap_lists_total", 7) is None
    assert queries[0].replace('"7"', '"N"') in GUIDE


def test_numbers_and_counters_are_the_codes() -> None:
    assert f"fewer than {share.ENOUGH} requests" in GUIDE
    assert f"fewer than {score_drift.ENOUGH} lists of either version" in GUIDE
    assert f"the highest bucket, {max(LATENCY_BUCKETS_S):g} s" in GUIDE
    for counter in (IMPRESSIONS, click_through.CLICKS, conversion.PURCHASES):
        assert f"| `{counter}` |" in GUIDE
