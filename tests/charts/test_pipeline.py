"""The training pipeline that the chart registers: the compiled one with what the values ask of the cluster."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from endcap_pipelines.compiling import compile_pipeline
from endcap_pipelines.values import read_values
from tests.charts.chart import CHART, Document, Refused, environment, of_kind, one

pytestmark = pytest.mark.usefixtures("quick_kfp")
Chart = Callable[..., list[Document]]
ASKED = {
    "images": {"registry": "registry.example.com", "pullPolicy": "Always", "pullSecrets": ["login"]},
    "pipelines": {
        "enabled": True,
        "image": {"repository": "shop/pipeline", "tag": "9"},
        "dataDir": "/mnt/data",
        "gpus": {
            "count": 2,
            "nodeSelector": {"accelerator": "a100"},
            "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        },
        "volumes": [{"claimName": "shop-data", "mountPath": "/mnt/data"}],
        "secretEnv": [{"secretName": "mlflow", "key": "login", "env": "MLFLOW_TRACKING_USERNAME"}],
        "env": {"TZ": "UTC"},
        "parameters": {"min_gain": 0.01},
        "resources": {"gate": {"cpu": "250m", "memory": "1536Mi"}, "train-ranker": {"cpu": "8", "memory": "32Gi"}},
    },
}
OF_THE_RELEASE = ("ENDCAP_", "FEAST_")
"""Variables that the chart adds: they follow from other values."""


@pytest.fixture
def compiled(tmp_path: Path) -> list[Document]:
    """What `endcap pipeline compile --values` makes of the same values."""
    values = tmp_path / "asked.yaml"
    values.write_text(yaml.safe_dump(ASKED))
    made = compile_pipeline(tmp_path / "compiled.yaml", read_values([CHART / "values.yaml", values]))
    return list(yaml.safe_load_all(made.read_text()))


def test_the_pipeline_is_the_compiled_one(chart: Chart, compiled: list[Document]) -> None:
    spec = one(chart(ASKED), "PipelineVersion")["spec"]["pipelineSpec"]
    expected = compiled[0]
    for document in (spec, expected):
        for executor in document["deploymentSpec"]["executors"].values():
            container = executor["container"]
            container["env"] = sorted((each for each in container["env"] if not each["name"].startswith(OF_THE_RELEASE)), key=str)
    assert json.loads(json.dumps(spec), parse_int=float) == json.loads(json.dumps(expected), parse_int=float)


def test_its_pods_are_the_compiled_ones(chart: Chart, compiled: list[Document]) -> None:
    made = _pods(one(chart(ASKED), "PipelineVersion")["spec"]["platformSpec"])
    for name, expected in _pods(compiled[1]).items():
        pod = made[name]
        for added in ("pvcMount", "secretAsEnv"):
            assert all(each in pod.get(added, []) for each in expected.pop(added, [])), name
            pod.pop(added, None)
        pod.pop("configMapAsVolume", None)
        assert pod == expected, name


def test_steps_run_as_the_user_of_all_pods_unless_the_server_does_not_know_the_field(chart: Chart) -> None:
    asked = {**ASKED, "podSecurity": {"runAsUser": 20_002}}
    pods = _pods(one(chart(asked), "PipelineVersion")["spec"]["platformSpec"])
    assert all(pod["securityContext"] == {"runAsNonRoot": True, "runAsUser": "20002", "runAsGroup": "20002"} for pod in pods.values())
    old = {**ASKED, "pipelines": {**ASKED["pipelines"], "securityContext": False}}
    assert not any("securityContext" in pod for pod in _pods(one(chart(old), "PipelineVersion")["spec"]["platformSpec"]).values())


def _pods(platform: Document) -> dict[str, Any]:
    return dict(platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"])


def test_steps_that_reach_stores_share_workspace_bundles_and_addresses(chart: Chart) -> None:
    spec = one(chart(ASKED), "PipelineVersion")["spec"]
    pod = _pods(spec["platformSpec"])["exec-deploy-bundle"]
    mounts = {each["constant"]: each["mountPath"] for each in pod["pvcMount"]}
    assert mounts == {"shop-data": "/mnt/data", "endcap-bundles": "/mnt/bundles", "endcap-workspace": "/var/lib/endcap"}
    assert {each["keyToEnv"][0]["envVar"] for each in pod["secretAsEnv"]} == {"MLFLOW_TRACKING_USERNAME", "FEAST_REGISTRY"}
    assert pod["configMapAsVolume"][0]["configMapName"] == "endcap-rollout-defaults"
    settings = environment(spec["pipelineSpec"]["deploymentSpec"]["executors"]["exec-deploy-bundle"]["container"])
    assert settings["ENDCAP_ROLLOUTS__TARGET"] == "endcap"
    assert settings["ENDCAP_ROLLOUTS__BUNDLE_STORE"] == "/mnt/bundles"
    assert settings["ENDCAP_ROLLOUTS__STORAGE_URI"] == "pvc://endcap-bundles"
    assert settings["ENDCAP_HOME"] == "/var/lib/endcap"
    assert settings["FEAST_REDIS"] == "redis.redis.svc:6379"


def test_the_step_that_builds_features_finds_those_that_spark_computed(rendered: Callable[[str], list[Document]]) -> None:
    objects = rendered("production")
    spec, job = one(objects, "PipelineVersion")["spec"], one(objects, "ScheduledSparkApplication")["spec"]["template"]
    settings = environment(spec["pipelineSpec"]["deploymentSpec"]["executors"]["exec-build-features"]["container"])
    assert settings["ENDCAP_FEATURES__COMPUTED"] == job["arguments"][job["arguments"].index("--out") + 1]
    mounts = {each["constant"]: each["mountPath"] for each in _pods(spec["platformSpec"])["exec-build-features"]["pvcMount"]}
    assert mounts["endcap-workspace"] == job["driver"]["volumeMounts"][1]["mountPath"]


def test_a_setting_of_spark_that_the_chart_has_too_stands_once(chart: Chart) -> None:
    job = one(chart({"spark": {"enabled": True, "sparkConf": {"spark.local.dir": "/scratch"}}}), "ScheduledSparkApplication")
    assert job["spec"]["template"]["sparkConf"]["spark.local.dir"] == "/scratch"
    assert len(job["spec"]["template"]["sparkConf"]) == 3


def test_every_step_knows_the_stores_names(chart: Chart) -> None:
    executors = one(chart(ASKED), "PipelineVersion")["spec"]["pipelineSpec"]["deploymentSpec"]["executors"]
    assert {environment(each["container"])["ENDCAP_MILVUS__HOST"] for each in executors.values()} == {"milvus.milvus.svc"}


def test_another_pipeline_is_another_version(chart: Chart) -> None:
    name = one(chart(ASKED), "PipelineVersion")["metadata"]["name"]
    same = one(chart(ASKED), "PipelineVersion")["metadata"]["name"]
    other = one(chart({**ASKED, "pipelines": {**ASKED["pipelines"], "dataDir": "/mnt/data/other"}}), "PipelineVersion")["metadata"]["name"]
    assert name == same != other


def test_an_unknown_parameter_is_refused(chart: Chart) -> None:
    with pytest.raises(Refused, match=r"pipelines\.parameters\.min_gian"):
        chart({"pipelines": {"enabled": True, "parameters": {"min_gian": 1}}})


def test_steps_need_a_whole_address_of_a_redis_that_asks_for_something(chart: Chart) -> None:
    with pytest.raises(Refused, match=r"redis\.address\.secretName"):
        chart({"pipelines": {"enabled": True}, "redis": {"auth": {"secretName": "login"}}})


def test_steps_may_make_rollouts_and_change_none(chart: Chart) -> None:
    role = one(chart(ASKED), "Role", "endcap-pipeline")
    assert role["rules"] == [{"apiGroups": ["endcap.dev"], "resources": ["rollouts"], "verbs": ["get", "list", "create"]}]


def test_an_account_of_ones_own_gets_the_right_to_make_rollouts_only(chart: Chart) -> None:
    objects = chart({"pipelines": {"enabled": True, "serviceAccountName": "default-editor", "namespace": "team"}})
    bindings = [each for each in of_kind(objects, "RoleBinding") if each["metadata"]["name"].startswith("endcap-pipeline")]
    assert [(each["roleRef"]["name"], each["subjects"][0]["name"], each["subjects"][0]["namespace"]) for each in bindings] == [
        ("endcap-pipeline", "default-editor", "team")
    ]
