"""The compiled pipeline: its steps, its caching, and Kubernetes settings that are those of the values."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import json_format

from endcap.core.errors import InvalidInput
from endcap_pipelines.compiling import compile_pipeline
from endcap_pipelines.values import ChartValues, read_values
from tests.pipelines.kfp_server.packages import Package, read_package

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "endcap"
CHANGES_THE_WORLD = {"preflight", "publish-features", "gate", "index-bundle", "materialize-features", "deploy-bundle"}
REACHES_STORES = CHANGES_THE_WORLD | {"validate-data", "build-training-set"}
TRAINS = {"train-two-tower", "train-ranker"}
DIGEST = f"sha256:{'0123456789abcdef' * 4}"
GPU_VALUES = {
    "images": {"registry": "registry.example", "pullPolicy": "Always", "pullSecrets": ["registry"]},
    "pipelines": {
        "image": {"repository": "endcap/pipeline", "tag": "2.0.0", "digest": DIGEST},
        "dataDir": "/mnt/data/shop",
        "gpus": {
            "count": 2,
            "resource": "nvidia.com/gpu",
            "nodeSelector": {"pool": "gpu", "zone": "a"},
            "tolerations": [
                {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
                {"key": "team", "operator": "Equal", "value": "shop", "effect": "NoExecute"},
            ],
        },
        "volumes": [{"claimName": "shop-data", "mountPath": "/mnt/data"}, {"claimName": "endcap-home", "mountPath": "/var/lib/endcap"}],
        "secretEnv": [
            {"secretName": "feast", "key": "registry", "env": "FEAST_REGISTRY"},
            {"secretName": "feast", "key": "redis", "env": "FEAST_REDIS"},
        ],
        "env": {"ENDCAP_MILVUS__HOST": "milvus", "ENDCAP_HOME": "/var/lib/endcap"},
        "parameters": {"batching": {"queries_max": 64}},
        "resources": {"train-ranker": {"cpu": "8", "memory": "32Gi"}},
    },
}


def compiled(target: Path, values: ChartValues | None = None) -> tuple[dict[str, Any], Package]:
    """The pipeline's own document, and the whole as kfp reads it."""
    text = compile_pipeline(target, values or ChartValues()).read_text()
    return next(yaml.safe_load_all(text)), read_package(text)


def tasks_of(document: dict[str, Any]) -> dict[str, Any]:
    dags = [document["root"]["dag"], *(each["dag"] for each in document["components"].values() if "dag" in each)]
    return {name: task for dag in dags for name, task in dag["tasks"].items()}


def containers_of(document: dict[str, Any]) -> dict[str, Any]:
    executors = document["deploymentSpec"]["executors"]
    return {name.removeprefix("exec-"): executor["container"] for name, executor in executors.items()}


def settings_of(package: Package) -> dict[str, dict[str, Any]]:
    """Kubernetes settings by step, as JSON."""
    return {name.removeprefix("exec-"): json_format.MessageToDict(each) for name, each in package.settings.items()}


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return compiled(tmp_path_factory.mktemp("compiled") / "pipeline.yaml")[0]


@pytest.fixture(scope="module")
def on_gpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Package]:
    return compiled(tmp_path_factory.mktemp("gpus") / "pipeline.yaml", ChartValues.model_validate(GPU_VALUES))


def test_every_step_of_the_design_is_there(document: dict[str, Any]) -> None:
    steps = set(tasks_of(document))
    assert steps >= REACHES_STORES | TRAINS | {"build-features", "evaluate", "export-bundle"}


def test_steps_that_change_the_world_are_never_cached(document: dict[str, Any]) -> None:
    cached = {name for name, task in tasks_of(document).items() if task.get("cachingOptions", {}).get("enableCache")}
    assert not cached & CHANGES_THE_WORLD
    assert {"build-features", "train-two-tower", "train-ranker", "distil-ranker", "evaluate"} <= cached


def test_release_depends_on_the_gate_s_decision(document: dict[str, Any]) -> None:
    tasks = tasks_of(document)
    (condition,) = [task for task in tasks.values() if "triggerPolicy" in task and "condition" in task["triggerPolicy"]]
    assert "gate-Output" in condition["triggerPolicy"]["condition"]
    released = set(document["components"][condition["componentRef"]["name"]]["dag"]["tasks"])
    assert released == {"export-bundle", "index-bundle", "materialize-features", "deploy-bundle"}


def test_what_is_judged_and_exported_is_the_ranker_that_distillation_hands_on(document: dict[str, Any]) -> None:
    tasks = tasks_of(document)

    def producer(step: str, artifact: str) -> str:
        return str(tasks[step]["inputs"]["artifacts"][artifact]["taskOutputArtifact"]["producerTask"])

    assert producer("distil-ranker", "teacher") == "train-ranker"
    assert producer("evaluate", "ranker") == "distil-ranker"
    outer = str(tasks["export-bundle"]["inputs"]["artifacts"]["ranker"]["componentInputArtifact"])
    assert "distil-ranker" in outer


def test_the_gate_can_make_the_champion_s_lists(document: dict[str, Any]) -> None:
    artifacts = tasks_of(document)["gate"]["inputs"]["artifacts"]
    producers = {name: each["taskOutputArtifact"]["producerTask"] for name, each in artifacts.items()}
    assert (producers["training"], producers["tables"]) == ("build-training-set", "build-tables")
    containers = containers_of(document)
    assert containers["gate"]["resources"] == containers["evaluate"]["resources"]


def test_what_is_used_is_chosen_before_the_gate(document: dict[str, Any]) -> None:
    tasks = tasks_of(document)
    choosing = {"min_lift", "min_recall_lift", "home"}
    assert choosing <= set(tasks["evaluate"]["inputs"]["parameters"])
    assert not choosing & set(tasks["gate"]["inputs"]["parameters"])


def test_nothing_is_distilled_or_shortened_unless_asked_for(document: dict[str, Any]) -> None:
    defaults = document["root"]["inputDefinitions"]["parameters"]
    assert defaults["distil"]["defaultValue"] == {}
    assert defaults["precision"]["defaultValue"] == "float32"


def test_nothing_starts_before_the_preflight(document: dict[str, Any]) -> None:
    tasks = document["root"]["dag"]["tasks"]
    assert [name for name, task in tasks.items() if not task.get("dependentTasks")] == ["preflight"]


def test_a_run_from_the_dashboard_needs_no_parameter(document: dict[str, Any]) -> None:
    inputs = document["root"]["inputDefinitions"]["parameters"]
    assert all(each["isOptional"] for each in inputs.values())
    assert inputs["data_dir"]["defaultValue"] == "/var/lib/endcap/data"
    assert inputs["quotas"]["defaultValue"]["candidates_max"] == 1000


def test_the_values_give_defaults_of_parameters(on_gpus: tuple[dict[str, Any], Package]) -> None:
    inputs = on_gpus[0]["root"]["inputDefinitions"]["parameters"]
    assert inputs["data_dir"]["defaultValue"] == "/mnt/data/shop"
    assert inputs["batching"]["defaultValue"] == {"queries_max": 64}
    assert inputs["batching"]["isOptional"]


def test_a_parameter_that_the_pipeline_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"pipelines\.parameters.*weeks"):
        compile_pipeline(tmp_path / "pipeline.yaml", ChartValues.model_validate({"pipelines": {"parameters": {"weeks": 4}}}))


def test_every_step_asks_for_cpu_and_memory(document: dict[str, Any]) -> None:
    for name, container in containers_of(document).items():
        resources = container["resources"]
        assert resources["resourceMemoryRequest"] == resources["resourceMemoryLimit"], name
        assert resources["resourceCpuRequest"], name


def test_every_step_runs_the_image_of_the_values_by_its_digest(on_gpus: tuple[dict[str, Any], Package]) -> None:
    assert {each["image"] for each in containers_of(on_gpus[0]).values()} == {f"registry.example/endcap/pipeline@{DIGEST}"}
    for settings in settings_of(on_gpus[1]).values():
        assert settings["imagePullPolicy"] == "Always"
        assert [each["secretName"] for each in settings["imagePullSecret"]] == ["registry"]


def test_without_a_digest_the_image_has_the_values_tag_or_this_version() -> None:
    assert ChartValues().image == "endcap/pipeline:0.1.0"
    assert ChartValues.model_validate({"pipelines": {"image": {"tag": "7"}}}).image == "endcap/pipeline:7"


def test_training_goes_to_the_gpu_nodes_of_the_values(on_gpus: tuple[dict[str, Any], Package]) -> None:
    containers, settings = containers_of(on_gpus[0]), settings_of(on_gpus[1])
    with_gpus = {name: each["resources"]["accelerator"] for name, each in containers.items() if "accelerator" in each["resources"]}
    assert set(with_gpus) == TRAINS
    for accelerator in with_gpus.values():
        assert (accelerator["resourceType"], accelerator["resourceCount"]) == ("nvidia.com/gpu", "2")
    asked = GPU_VALUES["pipelines"]["gpus"]
    for name, each in settings.items():
        assert each.get("nodeSelector", {}).get("labels", {}) == (asked["nodeSelector"] if name in TRAINS else {})
        assert each.get("tolerations", []) == (asked["tolerations"] if name in TRAINS else [])


def test_without_gpus_no_step_asks_for_one(document: dict[str, Any]) -> None:
    assert "accelerator" not in str(document["deploymentSpec"])


def test_steps_that_reach_stores_and_no_others_get_volumes_and_secrets(on_gpus: tuple[dict[str, Any], Package]) -> None:
    for name, each in settings_of(on_gpus[1]).items():
        claims = [(mount["pvcNameParameter"]["runtimeValue"]["constant"], mount["mountPath"]) for mount in each.get("pvcMount", [])]
        keys = [(secret["secretName"], pair) for secret in each.get("secretAsEnv", []) for pair in secret["keyToEnv"]]
        secrets = [(secret, pair["secretKey"], pair["envVar"]) for secret, pair in keys]
        stores = name in REACHES_STORES
        assert claims == ([("shop-data", "/mnt/data"), ("endcap-home", "/var/lib/endcap")] if stores else [])
        assert secrets == ([("feast", "registry", "FEAST_REGISTRY"), ("feast", "redis", "FEAST_REDIS")] if stores else [])
        assert each["podMetadata"]["labels"].get("endcap.dev/reaches") == ("stores" if stores else None)


def test_every_step_gets_the_profile_and_the_values_environment(on_gpus: tuple[dict[str, Any], Package]) -> None:
    for container in containers_of(on_gpus[0]).values():
        given = {each["name"]: each["value"] for each in container["env"]}
        assert given == {"ENDCAP_PROFILE": "cluster", "ENDCAP_MILVUS__HOST": "milvus", "ENDCAP_HOME": "/var/lib/endcap"}


def test_a_step_s_own_resources_win(on_gpus: tuple[dict[str, Any], Package]) -> None:
    containers = containers_of(on_gpus[0])
    assert containers["train-ranker"]["resources"]["resourceMemoryLimit"] == "32Gi"
    assert containers["train-two-tower"]["resources"]["resourceMemoryLimit"] == "12Gi"


@pytest.mark.processes
def test_the_same_values_give_the_same_bytes_in_any_process(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from endcap_pipelines.compiling import *; compile_pipeline(Path(sys.argv[1]), ChartValues())"
    )
    for name, seed in (("a.yaml", "1"), ("b.yaml", "2")):
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / name)], cwd=ROOT, env={"PYTHONHASHSEED": seed}, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.yaml").read_bytes() == (tmp_path / "b.yaml").read_bytes()


def test_the_chart_s_pipeline_is_current(tmp_path: Path) -> None:
    made = compile_pipeline(tmp_path / "pipeline.yaml", ChartValues())
    told = "run: endcap pipeline compile --out charts/endcap/files/endcap-training.yaml"
    assert (CHART / "files" / "endcap-training.yaml").read_text() == made.read_text(), told


@pytest.mark.parametrize("profile", sorted(path.name for path in (CHART / "profiles").glob("*.yaml")))
def test_every_profile_of_the_chart_compiles_to_its_own_settings(tmp_path: Path, profile: str) -> None:
    values = read_values([CHART / "profiles" / profile])
    _, package = compiled(tmp_path / "pipeline.yaml", values)
    asked = values.pipelines
    settings = settings_of(package)
    for name in TRAINS:
        tolerations = [json_format.MessageToDict(each) for each in package.settings[f"exec-{name}"].tolerations]
        wanted = [each.model_dump(by_alias=True) for each in asked.gpus.tolerations] if asked.gpus.count else []
        assert tolerations == [{key: value for key, value in each.items() if value} for each in wanted]
        assert settings[name].get("nodeSelector", {}).get("labels", {}) == (asked.gpus.node_selector if asked.gpus.count else {})
    published, gate = package.settings["exec-publish-features"], package.settings["exec-gate"]
    mounts = [(each.pvc_name_parameter.runtime_value.constant.string_value, each.mount_path) for each in published.pvc_mount]
    assert mounts == [(each.claim_name, each.mount_path) for each in asked.volumes]
    secrets = [(each.secret_name, each.key_to_env[0].secret_key, each.key_to_env[0].env_var) for each in gate.secret_as_env]
    assert secrets == [(each.secret_name, each.key, each.env) for each in asked.secret_env]
