"""The namespace: its level, quotas, names, secrets and claims."""

from typing import Any

import pytest

from endcap.doctor.check import Outcome
from endcap.doctor.checks import claims, definitions, name_lengths, namespaces, nodes, quotas, secrets
from endcap.doctor.finding import State
from tests.endcap.doctor.made_cluster import CRDS, items, made_cluster, made_release, outcome

SECRET = "/api/v1/namespaces/{}/secrets/{}"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
TOGETHER = {"parts": {"namespace": ""}}
ENFORCE = "pod-security.kubernetes.io/enforce"


def _namespace(level: str | None = None) -> dict[str, Any]:
    return {"metadata": {"labels": {ENFORCE: level} if level else {}}}


def _some(found: Outcome | None) -> Outcome:
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("level", "state"), [("restricted", State.GAP), ("baseline", State.OK), ("privileged", State.OK), (None, State.WARNING)]
)
def test_pods_of_milvus_and_feast_need_a_namespace_that_takes_them(level: str | None, state: State) -> None:
    cluster = made_cluster({"/api/v1/namespaces/shop": _namespace(level)})
    release = made_release(TOGETHER, profile="production")
    assert _some(outcome(namespaces.checks(release), "parts", cluster)).state is state
    assert _some(outcome(namespaces.checks(release), "exists", cluster)).state is State.OK


def test_parts_in_a_namespace_of_their_own_are_looked_for_there() -> None:
    release = made_release({"parts": {"namespace": "parts"}}, profile="production")
    both = {"/api/v1/namespaces/shop": _namespace("restricted"), "/api/v1/namespaces/parts": _namespace("baseline")}
    assert _some(outcome(namespaces.checks(release), "parts", made_cluster(both))).state is State.OK
    lacking = _some(outcome(namespaces.checks(release), "parts", made_cluster({"/api/v1/namespaces/shop": _namespace("restricted")})))
    assert lacking.fix == "kubectl create namespace parts"
    assert {each.namespace for each in secrets.keys(release) if each.because == "feast.operator.envSecretName"} == {"parts"}


def _quota(hard: dict[str, str], used: dict[str, str] | None = None) -> dict[str, Any]:
    return {"metadata": {"name": "small"}, "spec": {"hard": hard}, "status": {"used": used or {}}}


@pytest.mark.parametrize(
    ("quota", "state"),
    [
        (None, State.OK),
        (_quota({"requests.cpu": "6", "requests.memory": "12Gi", "pods": "3"}), State.OK),
        (_quota({"requests.cpu": "5900m"}), State.GAP),
        (_quota({"cpu": "5"}), State.GAP),
        (_quota({"limits.memory": "23Gi"}), State.GAP),
        (_quota({"pods": "2"}), State.GAP),
        (_quota({"requests.cpu": "10"}, {"requests.cpu": "5"}), State.WARNING),
        (_quota({"services": "1"}), State.OK),
    ],
)
def test_the_fewest_serving_pods_have_to_fit_the_quota(quota: Any, state: State) -> None:
    release = made_release(profile="multi-region")  # 3 pods of 2 cores, 4 GiB and at most 8 GiB
    assert quotas.judge_quota(quotas.serving_pods(release), [quota] if quota else []).state is state


def test_gpus_count_for_a_quota_too() -> None:
    pods = quotas.serving_pods(made_release(profile="gpu"))
    found = quotas.judge_quota(pods, [_quota({"requests.nvidia.com/gpu": "1"})])
    assert found.state is State.GAP
    assert "2 pods need 2" in found.found


@pytest.mark.parametrize(
    ("limit", "state"),
    [
        ({"type": "Container", "max": {"cpu": "1"}}, State.GAP),
        ({"type": "Container", "max": {"cpu": "2", "memory": "4Gi"}}, State.OK),
        ({"type": "Container", "min": {"memory": "3Gi"}}, State.GAP),
        ({"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}}, State.OK),
    ],
)
def test_serving_containers_have_to_fit_limit_ranges(limit: dict[str, Any], state: State) -> None:
    ranges = items({"metadata": {"name": "range"}, "spec": {"limits": [limit]}})
    cluster = made_cluster({"/api/v1/namespaces/shop/limitranges": ranges})
    assert _some(outcome(quotas.checks(made_release(profile="multi-region")), "limits", cluster)).state is state


@pytest.mark.parametrize(
    ("fullname", "namespace", "values", "fits"),
    [
        ("n" * 40, "s" * 12, {}, True),
        ("n" * 40, "s" * 13, {}, False),
        ("n" * 30, "s" * 12, {"rollouts": {"operator": {"enabled": True}}}, True),
        ("n" * 30, "s" * 13, {"rollouts": {"operator": {"enabled": True}}}, False),
        ("n" * 38, "s", {"rollouts": {"operator": {"enabled": True}}}, True),
        ("n" * 39, "s", {"rollouts": {"operator": {"enabled": True}}}, False),
        ("n" * 30, "s" * 17, {"experiments": {"variants": [{"name": "bold"}]}}, True),
        ("n" * 30, "s" * 18, {"experiments": {"variants": [{"name": "bold"}]}}, False),
        ("n" * 47, "s" * 15, {"serving": {"deploymentMode": "Knative"}, "rollouts": {"operator": {"enabled": True}}}, True),
        ("n" * 48, "s" * 5, {"serving": {"deploymentMode": "Knative"}}, False),
        ("n" * 47, "s" * 16, {"serving": {"deploymentMode": "Knative"}}, False),
    ],
)
def test_names_leave_room_for_what_kserve_adds(fullname: str, namespace: str, values: dict[str, Any], fits: bool) -> None:
    found = name_lengths.judge(made_release({"fullnameOverride": fullname}, values, namespace=namespace))
    assert found.state is (State.OK if fits else State.GAP)
    assert fits or found.fix == "shorten fullnameOverride or the namespace by 1 characters"


def test_secrets_need_every_key_that_pods_read() -> None:
    release = made_release(TOGETHER, profile="production")
    found = {(each.namespace, each.secret, each.key) for each in secrets.keys(release)}
    assert found == {
        ("shop", "endcap-feast-registry", "registry"),
        ("shop", "endcap-milvus", "token"),
        ("shop", "endcap-milvus", "root"),
        ("shop", "endcap-redis", "redis"),
        ("shop", "endcap-feast", "FEAST_REDIS"),
        ("shop", "endcap-feast", "FEAST_REGISTRY"),
        ("shop", "endcap-collector", "keys.yaml"),
        ("shop", "endcap-collector", "dead-letters.key"),
        ("shop", "endcap-collector", "pixel.key"),
    }
    answers = {SECRET.format("shop", "endcap-milvus"): {"data": {"token": "eA=="}}}
    lacking = _some(outcome(secrets.checks(release), "secret-endcap-milvus", made_cluster(answers)))
    assert (lacking.state, lacking.found) == (State.GAP, "it has no key root")
    absent = _some(outcome(secrets.checks(release), "secret-endcap-redis", made_cluster({})))
    assert absent.fix == "kubectl create secret generic endcap-redis --namespace shop --from-literal=redis=..."


def test_secrets_of_steps_are_looked_for_where_steps_run() -> None:
    own = [{"secretName": "lake", "key": "token", "env": "LAKE_TOKEN"}]
    release = made_release({"pipelines": {"namespace": "training", "secretEnv": own}}, profile="gpu")
    found = {(each.namespace, each.secret) for each in secrets.keys(release)}
    assert {("training", "lake"), ("training", "endcap-feast-registry"), ("shop", "endcap-feast-registry")} <= found


@pytest.mark.parametrize(
    ("secret", "state"),
    [
        (None, State.GAP),
        ({"metadata": {}, "data": {"AWS_ACCESS_KEY_ID": "eA=="}}, State.GAP),
        ({"metadata": {}, "data": {"AWS_ACCESS_KEY_ID": "eA==", "AWS_SECRET_ACCESS_KEY": "eA=="}}, State.OK),
        ({"metadata": {"annotations": {"serving.kserve.io/s3-useanoncredential": "true"}}}, State.OK),
    ],
)
def test_a_storage_secret_has_what_the_storage_initializer_reads(secret: Any, state: State) -> None:
    answers = {SECRET.format("shop", "endcap-bundles-reader"): secret} if secret else {}
    checks = secrets.checks(made_release(profile="multi-region"))
    found = _some(outcome(checks, "storage-endcap-bundles-reader", made_cluster(answers)))
    assert found.state is state
    assert secret is not None or "no pod at all" in found.found


def test_a_secret_is_never_shown() -> None:
    secret = {
        "metadata": {"annotations": {"serving.kserve.io/s3-endpoint": "storage.example:9000"}},
        "data": {"AWS_ACCESS_KEY_ID": "c2VjcmV0LWtleQ==", "AWS_SECRET_ACCESS_KEY": "c2VjcmV0LWtleQ=="},
    }
    answers = {SECRET.format("shop", "endcap-bundles-reader"): secret}
    checks = secrets.checks(made_release(profile="multi-region"))
    found = _some(outcome(checks, "storage-endcap-bundles-reader", made_cluster(answers)))
    assert found.found == "s3-endpoint=storage.example:9000"


def _class(name: str, provisioner: str, is_default: bool = False) -> dict[str, Any]:
    annotations = {"storageclass.kubernetes.io/is-default-class": str(is_default).lower()}
    return {"metadata": {"name": name, "annotations": annotations}, "provisioner": provisioner}


@pytest.mark.parametrize(
    ("provisioner", "mode", "state"),
    [
        ("ebs.csi.aws.com", "ReadWriteMany", State.GAP),
        ("ebs.csi.aws.com", "ReadWriteOnce", State.OK),
        ("rook-ceph.rbd.csi.ceph.com", "ReadWriteMany", State.GAP),
        ("rook-ceph.cephfs.csi.ceph.com", "ReadWriteMany", State.OK),
        ("storage.example.com", "ReadWriteMany", State.UNKNOWN),
    ],
)
def test_shared_claims_need_a_class_that_makes_them(provisioner: str, mode: str, state: State) -> None:
    release = made_release({"bundles": {"claim": {"accessMode": mode}}})
    cluster = made_cluster({CLASSES: items(_class("default", provisioner, True), _class("other", "nfs.csi.k8s.io"))})
    assert _some(outcome(claims.checks(release), "claim-endcap-bundles", cluster)).state is state


def test_a_class_that_is_not_there_or_no_default_is_a_gap() -> None:
    named = made_release({"bundles": {"claim": {"storageClassName": "fast"}}})
    assert "no storage class fast" in _some(outcome(claims.checks(named), "claim-endcap-bundles", made_cluster({}))).found
    cluster = made_cluster({CLASSES: items(_class("other", "nfs.csi.k8s.io"))})
    assert _some(outcome(claims.checks(made_release()), "claim-endcap-bundles", cluster)).state is State.GAP


def test_a_claim_that_is_not_made_here_has_to_be_there_in_the_mode_of_the_values() -> None:
    release = made_release({"bundles": {"claim": {"create": False, "name": "mine"}}})
    place = "/api/v1/namespaces/shop/persistentvolumeclaims/mine"

    def state(claim: Any) -> State:
        return _some(outcome(claims.checks(release), "claim-mine", made_cluster({place: claim} if claim else {}))).state

    def claim(mode: str, phase: str) -> dict[str, Any]:
        return {"spec": {"accessModes": [mode]}, "status": {"phase": phase}}

    assert state(None) is State.GAP
    assert state(claim("ReadWriteMany", "Bound")) is State.OK
    assert state(claim("ReadWriteOnce", "Bound")) is State.GAP
    assert state(claim("ReadWriteMany", "Pending")) is State.WARNING
    assert state(claim("ReadWriteMany", "Lost")) is State.GAP


def test_a_definition_of_another_release_is_a_gap() -> None:
    release = made_release({"crds": {"enabled": True}})

    def owned(namespace: str, name: str) -> dict[str, Any]:
        annotations = {"meta.helm.sh/release-namespace": namespace, "meta.helm.sh/release-name": name}
        return {f"{CRDS}/rollouts.endcap.dev": {"metadata": {"annotations": annotations}}}

    answers: list[dict[str, Any]] = [
        {},
        owned("shop", "endcap"),
        owned("other", "endcap"),
        {f"{CRDS}/rollouts.endcap.dev": {"metadata": {}}},
    ]
    found = [_some(outcome(definitions.checks(release), "definition", made_cluster(each))) for each in answers]
    assert [each.state for each in found] == [State.OK, State.OK, State.GAP, State.GAP]
    assert "release other/endcap" in found[2].found


@pytest.mark.parametrize(
    ("labels", "gpus", "state"),
    [
        ({"nvidia.com/gpu.present": "true"}, "1", State.OK),
        ({"nvidia.com/gpu.present": "true"}, "0", State.WARNING),
        ({}, "4", State.WARNING),
    ],
)
def test_gpus_need_a_node_that_offers_them(labels: dict[str, str], gpus: str, state: State) -> None:
    node = {"metadata": {"labels": labels}, "status": {"allocatable": {"nvidia.com/gpu": gpus, "cpu": "8"}}}
    cluster = made_cluster({"/api/v1/nodes": items(node)})
    for check in ("nodes-serving-pods", "nodes-training-steps"):
        assert _some(outcome(nodes.checks(made_release(profile="gpu")), check, cluster)).state is state
    assert list(nodes.checks(made_release())) == []


def test_secrets_and_claims_of_a_stream_alone_are_looked_for() -> None:
    spark = {"kafkaOptions": {"secretName": "java"}}
    values = {
        "serving": {"enabled": False},
        "stream": {"enabled": True, "secretName": "letters", "runner": "spark", "spark": spark},
        "kafka": {"bootstrap": "kafka:9092", "clientConfig": {"secretName": "kafka-login"}},
    }
    release = made_release(values)
    found = {(each.secret, each.key) for each in secrets.keys(release)}
    assert found >= {("letters", "dead-letters.key"), ("java", "client.properties"), ("kafka-login", "client.properties")}
    assert ("endcap-feast-registry", "registry") in found
    wanted = {(each.because, each.mode) for each in claims.claims(release)}
    assert wanted >= {
        ("stream.claim", "ReadWriteOnce"),
        ("stream.spark.claim", "ReadWriteMany"),
        ("evidence.claim", "ReadWriteMany"),
        ("bundles.claim", "ReadWriteMany"),
    }
    unnamed = made_release({"stream": {"enabled": True}})
    assert _some(outcome(secrets.checks(unnamed), "stream", made_cluster({}))).state is State.GAP


def test_secrets_and_spools_of_a_collector_alone_are_looked_for() -> None:
    registry = {"url": "https://registry.example", "auth": {"secretName": "login"}, "caSecretName": "authority"}
    values = {
        "serving": {"enabled": False},
        "collector": {"enabled": True, "secretName": "keys", "spool": {"storageClassName": "fast"}},
        "kafka": {"bootstrap": "kafka:9092", "clientConfig": {"secretName": "kafka-login"}},
        "schemaRegistry": registry,
    }
    release = made_release(values)
    found = {(each.secret, each.key) for each in secrets.keys(release)}
    assert found >= {("keys", "keys.yaml"), ("keys", "pixel.key"), ("kafka-login", "client.properties")}
    assert found >= {("login", "user"), ("login", "password"), ("authority", "ca.crt")}
    spool = next(each for each in claims.claims(release) if each.because == "collector.spool")
    assert (spool.storage_class, spool.mode) == ("fast", "ReadWriteOnce")
    unnamed = made_release({"collector": {"enabled": True}})
    assert _some(outcome(secrets.checks(unnamed), "collector", made_cluster({}))).state is State.GAP
