"""The chart as Helm renders it, without a cluster."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "endcap"
SHARED = ROOT.parent / "shared"
PROFILES = ("minimal", "production", "gpu", "multi-region")
RELEASE, NAMESPACE = "endcap", "shop"
BOLD = {"version": 20261123110000, "collection": "endcap_20261123110000"}
CALM = {"version": 20261122110000, "collection": "endcap_20261122110000"}
VARIANTS = {
    "experiments": {
        "variants": [
            {"name": "bold", "bundle": BOLD, "env": {"ENDCAP_SERVING__K_DEFAULT": "20"}},
            {"name": "calm", "bundle": CALM, "replicas": {"min": 1}},
        ]
    }
}
KNATIVE = {"serving": {"deploymentMode": "Knative", "timeoutSeconds": 30}, "route": {"enabled": False}}
Document = dict[str, Any]


class Refused(Exception):
    """Helm refused to render, and said why."""


def program(name: str) -> str | None:
    """A program of this environment, else of the PATH."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.is_file() else shutil.which(name)


def render(folder: Path, profile: str | None = "minimal", values: Mapping[str, Any] | None = None, *options: str) -> list[Document]:
    """All objects, in Helm's order.

    Args:
        folder: for the values file.
        profile: one of the chart's, or none.
        values: given after the profile.
        options: further ones of `helm template`.

    Raises:
        Refused: Helm did.
    """
    return documents(rendered_text(folder, profile, values, *options))


def rendered_text(folder: Path, profile: str | None = "minimal", values: Mapping[str, Any] | None = None, *options: str) -> str:
    command = [program("helm"), "template", RELEASE, str(CHART), "--namespace", NAMESPACE, *options]
    if profile:
        command += ["--values", str(CHART / "profiles" / f"{profile}.yaml")]
    if values:
        given = folder / "values.yaml"
        given.write_text(yaml.safe_dump(dict(values)))
        command += ["--values", str(given)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Refused(done.stderr)
    return done.stdout


def documents(text: str) -> list[Document]:
    return [document for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if document]


def of_kind(objects: list[Document], kind: str) -> list[Document]:
    return [each for each in objects if each["kind"] == kind]


def one(objects: list[Document], kind: str, name: str | None = None) -> Document:
    found = [each for each in of_kind(objects, kind) if name in {None, each["metadata"]["name"]}]
    assert len(found) == 1, f"{len(found)} objects {kind} {name or ''}"
    return found[0]


def called(document: Document) -> str:
    return f"{document['kind']}/{document['metadata']['name']}"


def pod_specs(objects: list[Document]) -> Iterator[tuple[str, Document]]:
    """Every pod that the objects describe, with its containers as they will run; an InferenceService with its runtime's."""
    runtimes = {each["metadata"]["name"]: each["spec"] for each in of_kind(objects, "ServingRuntime")}
    for each in objects:
        spec = each.get("spec", {})
        if each["kind"] in {"Deployment", "StatefulSet", "Job"}:
            yield called(each), spec["template"]["spec"]
        elif each["kind"] == "CronJob":
            yield called(each), spec["jobTemplate"]["spec"]["template"]["spec"]
        elif each["kind"] == "Pod":
            yield called(each), spec
        elif each["kind"] == "InferenceService":
            predictor = spec["predictor"]
            runtime = runtimes[predictor["model"]["runtime"]]
            containers = [*runtime["containers"], *predictor["containers"]]
            volumes = [*runtime["volumes"], *predictor["volumes"]]
            yield called(each), {**predictor, "containers": containers, "volumes": volumes}


def containers(objects: list[Document]) -> Iterator[tuple[str, Document]]:
    for name, spec in pod_specs(objects):
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            yield f"{name}:{container['name']}", container


def environment(container: Document) -> dict[str, Any]:
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container.get("env", [])}
