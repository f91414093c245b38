"""Each object against the schema of its kind: Kubernetes' own, the operators' definitions, KServe's models."""

import json
import re
from types import SimpleNamespace

import kubernetes_validate
import pytest
import yaml

from tests.charts.chart import CHART, Document, called, of_kind
from tests.charts.custom_resources import CRDS, faults, schemas

KUBERNETES = "1.34.0"
BUILT_IN = {
    "v1",
    "apps/v1",
    "autoscaling/v2",
    "batch/v1",
    "policy/v1",
    "networking.k8s.io/v1",
    "rbac.authorization.k8s.io/v1",
    "apiextensions.k8s.io/v1",
}


def test_objects_of_kubernetes_itself_are_valid_without_an_unknown_field(objects: list[Document]) -> None:
    own = [each for each in objects if each["apiVersion"] in BUILT_IN]
    assert own
    for each in own:
        kubernetes_validate.validate(each, KUBERNETES, strict=True)


def test_objects_of_operators_are_valid_without_an_unknown_field(objects: list[Document]) -> None:
    if not CRDS.is_dir():
        pytest.skip("the operators' definitions are not here")
    known = schemas()
    foreign = [each for each in objects if each["apiVersion"] not in BUILT_IN]
    assert foreign
    found = {called(each): faults(each, known[each["apiVersion"], each["kind"]]) for each in foreign}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_an_unknown_field_and_a_wrong_type_would_be_found() -> None:
    if not CRDS.is_dir():
        pytest.skip("the operators' definitions are not here")
    schema = schemas()["gateway.networking.k8s.io/v1", "HTTPRoute"]
    route = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "r"}}
    assert faults({**route, "spec": {"rules": [{"nam": "traffic"}]}}, schema) == ["$.spec.rules[0].nam: unknown field"]
    assert any("not of type 'string'" in each for each in faults({**route, "spec": {"hostnames": [1]}}, schema))


@pytest.mark.parametrize(("kind", "model"), [("InferenceService", "V1beta1InferenceService"), ("ServingRuntime", "V1alpha1ServingRuntime")])
def test_kserves_own_models_take_each_field(objects: list[Document], kind: str, model: str, kserve_models: None) -> None:
    from kubernetes import client

    found = of_kind(objects, kind)
    assert found
    for each in found:
        api = client.ApiClient()
        parsed = api.deserialize(SimpleNamespace(data=json.dumps(each)), model)
        made = _without_metadata(api.sanitize_for_serialization(parsed))
        if kind == "InferenceService":  # the model writes a name that nothing gave, as KServe's webhook does
            assert made["spec"]["predictor"]["model"].pop("name") == ""
        assert made == _without_metadata(each)


@pytest.fixture
def kserve_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Kubernetes client finds KServe's models, which call Kubernetes' own by the names of Go packages."""
    import kserve
    from kubernetes import client

    own = {name: each for name, each in vars(kserve.models).items() if hasattr(each, "openapi_types")}
    named = {name for each in own.values() for kind in each.openapi_types.values() for name in re.findall(r"[A-Z]\w+", kind)}
    for name in {*own, *named}:
        of_kubernetes = getattr(client.models, re.sub(r"^K8sIo.*(?=V[12][A-Z])", "", name), object)  # no model: any value
        monkeypatch.setattr(client.models, name, own.get(name, of_kubernetes), raising=False)


def _without_metadata(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "metadata"}


def test_the_definition_of_rollouts_is_the_generated_one(objects: list[Document]) -> None:
    definitions = of_kind(objects, "CustomResourceDefinition")
    generated = yaml.safe_load((CHART / "files" / "rollouts.endcap.dev.yaml").read_text())
    assert [each["spec"] for each in definitions] in ([], [generated["spec"]])
