"""What KServe, Knative, Prometheus and cert-manager are set to."""

import json
from typing import Any

import pytest

from endcap.doctor.checks import cert_manager, definitions, knative, kserve, prometheus
from endcap.doctor.finding import State
from tests.endcap.doctor.made_cluster import items, made_cluster, made_release, outcome

KSERVE_CONFIG = "/api/v1/namespaces/kserve/configmaps/inferenceservice-config"
KNATIVE_CONFIG = "/api/v1/namespaces/knative-serving/configmaps/config-features"
S3 = {"bundles": {"storageUri": "s3://shop/bundles"}}
KNATIVE = {"serving": {"deploymentMode": "Knative", "timeoutSeconds": 30}}


def _config(**sections: Any) -> dict[str, Any]:
    return {"data": {key: json.dumps(section) for key, section in sections.items()}}


@pytest.mark.parametrize(
    ("ingress", "istio", "state"),
    [
        ({"disableIstioVirtualHost": False}, None, State.WARNING),
        ({}, None, State.WARNING),
        ({"disableIstioVirtualHost": True}, None, State.OK),
        ({}, {"versions": []}, State.OK),
    ],
)
def test_without_istio_its_virtual_host_has_to_be_off(ingress: dict[str, Any], istio: Any, state: State) -> None:
    answers = {KSERVE_CONFIG: _config(ingress=ingress), **({"/apis/networking.istio.io": istio} if istio else {})}
    found = outcome(kserve.checks(made_release()), "istio", made_cluster(answers))
    assert found is not None
    assert found.state is state


def test_a_config_map_that_is_not_found_is_unknown() -> None:
    for check in ("istio", "ingress", "storage-initializer"):
        found = outcome(kserve.checks(made_release(S3)), check, made_cluster({}))
        assert found is not None
        assert found.state is State.UNKNOWN


def test_object_storage_needs_something_that_downloads_it() -> None:
    container = {"metadata": {"name": "default"}, "spec": {"supportedUriFormats": [{"prefix": "gs://"}, {"regex": "s3://shop/.+"}]}}
    containers = "/apis/serving.kserve.io/v1alpha1/clusterstoragecontainers"
    empty = {KSERVE_CONFIG: _config(storageInitializer={})}
    states = [
        outcome(kserve.checks(made_release(S3)), "storage-initializer", made_cluster(answers))
        for answers in (empty, {**empty, containers: items(container)}, {KSERVE_CONFIG: _config(storageInitializer={"image": "init:1"})})
    ]
    assert [each.state for each in states if each] == [State.GAP, State.OK, State.OK]
    assert "storage-initializer" not in {each.name for each in kserve.checks(made_release())}


def test_knative_features_follow_the_values() -> None:
    always = {"kubernetes.podspec-volumes-emptydir", "multi-container"}
    on_claim = knative.features(made_release(KNATIVE))
    assert set(on_claim) == always
    assert set(knative.features(made_release(KNATIVE, S3))) - always == {"kubernetes.podspec-securitycontext"}
    live = made_release(KNATIVE, {"serving": {"live": {"claimName": "live"}, "tolerations": [{"operator": "Exists"}]}})
    assert set(knative.features(live)) - always == {"kubernetes.podspec-persistent-volume-claim", "kubernetes.podspec-tolerations"}
    assert list(knative.checks(made_release())) == []


@pytest.mark.parametrize(
    ("data", "state"),
    [
        ({}, State.GAP),
        ({"kubernetes.podspec-securitycontext": "allowed"}, State.GAP),
        ({"kubernetes.podspec-securitycontext": "Enabled"}, State.OK),
    ],
)
def test_a_knative_feature_has_to_be_enabled_outright(data: dict[str, str], state: State) -> None:
    release = made_release(KNATIVE, S3)
    found = outcome(knative.checks(release), "feature-podspec-securitycontext", made_cluster({KNATIVE_CONFIG: {"data": data}}))
    assert found is not None
    assert found.state is state
    assert (state is State.OK) != ("kubectl patch configmap config-features" in found.fix)


def test_a_knative_feature_that_is_on_by_default_is_a_gap_when_switched_off() -> None:
    release = made_release(KNATIVE)
    kept = outcome(knative.checks(release), "feature-multi-container", made_cluster({KNATIVE_CONFIG: {"data": None}}))
    off = outcome(
        knative.checks(release), "feature-multi-container", made_cluster({KNATIVE_CONFIG: {"data": {"multi-container": "disabled"}}})
    )
    assert kept is not None
    assert off is not None
    assert (kept.state, off.state) == (State.OK, State.GAP)


def _prometheus(selector: Any, namespaces: Any, namespace: str = "monitoring") -> dict[str, Any]:
    spec = {"podMonitorSelector": selector, "podMonitorNamespaceSelector": namespaces}
    return {"metadata": {"name": "k8s", "namespace": namespace}, "spec": spec}


@pytest.mark.parametrize(
    ("server", "labels", "state"),
    [
        (_prometheus({}, {}), {}, State.OK),
        (_prometheus(None, {}), {}, State.GAP),
        (_prometheus({}, None), {}, State.GAP),
        (_prometheus({}, None, "shop"), {}, State.OK),
        (_prometheus({"matchLabels": {"release": "stack"}}, {}), {}, State.GAP),
        (_prometheus({"matchLabels": {"release": "stack"}}, {}), {"release": "stack"}, State.OK),
        (_prometheus({"matchExpressions": [{"key": "team", "operator": "In", "values": ["a", "b"]}]}, {}), {"team": "c"}, State.GAP),
        (_prometheus({}, {"matchExpressions": [{"key": "watched", "operator": "Exists"}]}), {}, State.GAP),
    ],
)
def test_monitors_have_to_be_selected_by_a_prometheus(server: Any, labels: dict[str, str], state: State) -> None:
    release = made_release({"monitoring": {"podMonitor": {"enabled": True}, "labels": labels}})
    found = outcome(prometheus.checks(release), "selectors", made_cluster({"/apis/monitoring.coreos.com/v1/prometheuses": items(server)}))
    assert found is not None
    assert found.state is state


def test_an_issuer_has_to_be_ready() -> None:
    release = made_release(profile="production")
    issuer = "/apis/cert-manager.io/v1/clusterissuers/letsencrypt"
    broken = {"status": {"conditions": [{"type": "Ready", "status": "False", "message": "no account"}]}}
    ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    found = [outcome(cert_manager.checks(release), "issuer", made_cluster(answers)) for answers in ({}, {issuer: broken}, {issuer: ready})]
    assert [each.state for each in found if each] == [State.GAP, State.GAP, State.OK]


def test_a_definition_that_is_served_in_another_version_only_says_so() -> None:
    release = made_release({"kafka": {"enabled": True}})
    old = {"resources": [{"name": name} for name in ("kafkas", "kafkanodepools", "kafkatopics")]}
    answers = {"/apis/kafka.strimzi.io": {"versions": [{"version": "v1beta2"}]}, "/apis/kafka.strimzi.io/v1beta2": old}
    (need,) = [each for each in definitions.needs(release) if each.part == "Strimzi"]
    found = definitions.served(made_cluster(answers), need)
    assert found.state is State.GAP
    assert "kafkas.kafka.strimzi.io/v1 is served as v1beta2 only" in found.found
    assert "0.49" in found.fix
