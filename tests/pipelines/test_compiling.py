from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.compiling import compile_pipeline
from pipelines.resources import GpuPool

CHANGES_THE_WORLD = {"publish-features", "gate", "index-bundle", "materialize-features", "deploy-bundle"}


def compiled(target: Path, gpus: GpuPool | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The pipeline's own document, and its Kubernetes settings by executor."""
    documents = list(yaml.safe_load_all(compile_pipeline(target, gpus).read_text()))
    platforms = documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"] if len(documents) > 1 else {}
    return documents[0], platforms


def tasks_of(document: dict[str, Any]) -> dict[str, Any]:
    dags = [document["root"]["dag"], *(each["dag"] for each in document["components"].values() if "dag" in each)]
    return {name: task for dag in dags for name, task in dag["tasks"].items()}


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return compiled(tmp_path_factory.mktemp("compiled") / "pipeline.yaml")[0]


def test_every_step_of_the_design_is_there(document: dict[str, Any]) -> None:
    steps = set(tasks_of(document))
    assert steps >= CHANGES_THE_WORLD | {"validate-data", "build-features", "train-two-tower", "train-ranker", "evaluate", "export-bundle"}


def test_steps_that_change_the_world_are_never_cached(document: dict[str, Any]) -> None:
    cached = {name for name, task in tasks_of(document).items() if task.get("cachingOptions", {}).get("enableCache")}
    assert not cached & CHANGES_THE_WORLD
    assert {"build-features", "train-two-tower", "train-ranker", "evaluate"} <= cached


def test_release_depends_on_the_gate_s_decision(document: dict[str, Any]) -> None:
    tasks = tasks_of(document)
    (condition,) = [task for task in tasks.values() if "triggerPolicy" in task and "condition" in task["triggerPolicy"]]
    assert "gate-Output" in condition["triggerPolicy"]["condition"]
    released = set(document["components"][condition["componentRef"]["name"]]["dag"]["tasks"])
    assert released == {"export-bundle", "index-bundle", "materialize-features", "deploy-bundle"}


def test_every_step_asks_for_cpu_and_memory(document: dict[str, Any]) -> None:
    for name, executor in document["deploymentSpec"]["executors"].items():
        resources = executor["container"]["resources"]
        assert resources["resourceMemoryRequest"] == resources["resourceMemoryLimit"], name
        assert resources["resourceCpuRequest"], name


def test_training_goes_to_gpu_nodes_when_asked(tmp_path: Path) -> None:
    document, platforms = compiled(tmp_path / "gpu.yaml", GpuPool(count=2, node_selector={"pool": "gpu"}))
    executors = document["deploymentSpec"]["executors"]
    with_gpus = {name for name, each in executors.items() if "accelerator" in each["container"]["resources"]}
    assert with_gpus == {"exec-train-two-tower", "exec-train-ranker"}
    for name in with_gpus:
        assert platforms[name]["nodeSelector"]["labels"] == {"pool": "gpu"}
        assert platforms[name]["tolerations"][0]["key"] == "nvidia.com/gpu"


def test_without_gpus_no_step_asks_for_one(document: dict[str, Any]) -> None:
    assert "accelerator" not in str(document["deploymentSpec"])
