"""Names that KServe, Kubernetes or another operator refuses are refused by Helm, which says what to shorten; none is cut without a word."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.charts.chart import KNATIVE, NAMESPACE, Document, Refused, of_kind, one

Chart = Callable[..., list[Document]]
ROLLOUTS = {"rollouts": {"operator": {"enabled": True}}, "milvus": {"host": "milvus"}}
LONG_NAMESPACE = "recommendations-of-the-shop-in-europe-west"
KAFKA = {"kafka": {"enabled": True, "replicas": 3}}
COLLECTOR = {"collector": {"enabled": True, "secretName": "keys"}, "kafka": {"bootstrap": "kafka:9092"}}
STREAM = {"stream": {"enabled": True, "secretName": "letters"}, "kafka": {"bootstrap": "kafka:9092"}}
REGISTRY = {"schemaRegistry": {"enabled": True}, "kafka": {"bootstrap": "kafka:9092"}}
SPARK = {"spark": {"enabled": True}}
EVIDENCE = {"evidence": {"enabled": True}, "kafka": {"bootstrap": "kafka:9092"}}
REDIS = {"redis": {"enabled": True, "auth": {"secretName": "redis-login"}}}
MILVUS = {"milvus": {"enabled": True}}
FEAST = {"feast": {"operator": {"enabled": True, "envSecretName": "feast-addresses"}}}


def _variant(name: str) -> dict[str, Any]:
    variant = {"name": name, "bundle": {"version": 20261123110000, "collection": "c"}}
    return {"experiments": {"variants": [variant]}, "route": {"enabled": True, "gateway": {"name": "shop"}}}


def _named(length: int, values: dict[str, Any] | None = None) -> dict[str, Any]:
    return {**(values or {}), "fullnameOverride": "a" * length}


@pytest.mark.parametrize(
    ("values", "namespace", "most"),
    [
        ({}, "shop", 48),
        ({}, LONG_NAMESPACE, 52 - len(LONG_NAMESPACE)),
        (ROLLOUTS, "shop", 38),
        (ROLLOUTS, LONG_NAMESPACE[:30], 42 - 30),
        (_variant("new-ranker"), "shop", 47 - len("new-ranker")),
        (_variant("new-ranker"), LONG_NAMESPACE[:30], 51 - 30 - len("new-ranker")),
        (KNATIVE, "shop", 48),
        (KNATIVE, LONG_NAMESPACE, 62 - len(LONG_NAMESPACE)),
        (EVIDENCE, "shop", 43),
        (REDIS, "shop", 46),
        (COLLECTOR, "shop", 42),
        (MILVUS, "shop", 46),
        (KAFKA, "shop", 26),
        (KAFKA | {"kafka": {"enabled": True, "replicas": 11}}, "shop", 25),
        (SPARK, "shop", 34),
        (STREAM, "shop", 45),
        (REGISTRY, "shop", 36),
        (FEAST | {"serving": {"enabled": False}}, "shop", 48),
    ],
)
def test_a_name_may_be_as_long_as_the_strictest_part_takes(chart: Chart, values: dict[str, Any], namespace: str, most: int) -> None:
    assert chart(_named(most, values), "minimal", "--namespace", namespace)
    with pytest.raises(Refused, match=r"fullnameOverride: .* has \d+ characters, and .* takes \d+: shorten"):
        chart(_named(most + 1, values), "minimal", "--namespace", namespace)


def test_the_message_has_name_length_limit_and_what_to_shorten(chart: Chart) -> None:
    with pytest.raises(Refused) as refused:
        chart(_named(40, ROLLOUTS))
    message = str(refused.value)
    assert f'"isvc.{"a" * 40}-candidate-predictor"' in message
    assert "has 65 characters, and KServe takes 63: shorten fullnameOverride" in message
    assert "candidate" in message


def test_a_variant_that_is_too_long_may_be_shortened_instead(chart: Chart) -> None:
    assert chart(_named(30, _variant("newest-ranker")))
    with pytest.raises(Refused, match=r"variant newest-of-rankers\).*shorten fullnameOverride, the variant's name"):
        chart(_named(31, _variant("newest-of-rankers")))


def test_a_name_is_never_cut(chart: Chart) -> None:
    name = "recommendations-for-all-shops-in-the-north"
    assert len(name) > 40
    objects = chart({"fullnameOverride": name})
    assert {each["metadata"]["name"] for each in of_kind(objects, "InferenceService")} == {name}


def test_the_namespace_counts(chart: Chart) -> None:
    values = _named(30, ROLLOUTS)
    assert one(chart(values), "InferenceService")["metadata"]["name"] == "a" * 30
    with pytest.raises(Refused, match=f"{'a' * 30}-candidate-predictor-{LONG_NAMESPACE}.* or the namespace"):
        chart(values, "minimal", "--namespace", LONG_NAMESPACE)


@pytest.mark.parametrize("name", ["2nd-shop", "shop.eu", "Shop"])
def test_a_name_that_kserve_cannot_take_is_refused(chart: Chart, name: str) -> None:
    with pytest.raises(Refused, match="fullnameOverride: KServe takes lower-case letters"):
        chart({"fullnameOverride": name})


def test_the_names_of_the_profiles_fit(objects: list[Document]) -> None:
    for each in of_kind(objects, "InferenceService"):
        assert len(f"{each['metadata']['name']}-predictor-{NAMESPACE}") <= 63
