"""The page of each profile under docs/install, without a cluster: its values file renders, and its commands make every secret named."""

import shlex
from pathlib import Path

import pytest
import yaml

from tests.charts.chart import NAMESPACE, PROFILES, Document, of_kind, one, render
from tests.charts.named_secrets import Named, completed, named_secrets
from tests.charts.test_profiles import WRITERS
from tests.docs.page import blocks

FIRST_BUNDLE = {"version": "20261124110000", "collection": "endcap_20261124110000"}


def _objects(folder: Path, profile: str, page: str) -> list[Document]:
    """What the page's values make of its profile, with a bundle where its first install has none."""
    (values,) = (yaml.safe_load(block.text) for block in blocks(page) if block.kind == "file")
    if not values["serving"]["bundle"]["version"]:
        values["serving"]["bundle"] = FIRST_BUNDLE
    return render(folder, profile, values)


def _made(page: str) -> Named:
    """Secrets that the commands of a page make, with their keys."""
    made: Named = {}
    for block in blocks(page):
        for line in block.text.replace("\\\n", " ").splitlines() if block.kind == "run" else []:
            words = shlex.split(line.removeprefix("$ "))
            if words[:4] == ["kubectl", "create", "secret", "generic"]:
                keys = {word.split("=")[1] for word in words if word.startswith(("--from-literal=", "--from-file="))}
                made[words[words.index("--namespace") + 1], words[4]] = keys
    return made


@pytest.mark.parametrize("profile", PROFILES)
def test_a_page_makes_every_secret_that_its_values_name_and_no_other(tmp_path: Path, profile: str) -> None:
    page = f"install/{profile}.md"
    made = _made(page)
    release = sorted({namespace for namespace, _ in made}, key=len)[0]
    named = named_secrets(_objects(tmp_path, profile, page), release)
    assert made == completed(named, made)


def test_the_operations_guide_makes_every_secret_that_its_values_name(tmp_path: Path) -> None:
    shop = next(yaml.safe_load(block.text) for block in blocks("operations.md") if block.name == "shop.yaml")
    assert _made("operations.md") == named_secrets(render(tmp_path, "minimal", shop), NAMESPACE)


def test_a_region_that_its_page_installs_writes_nothing(tmp_path: Path) -> None:
    objects = _objects(tmp_path, "multi-region", "install/multi-region.md")
    assert not (WRITERS | {"CustomResourceDefinition"}) & {each["kind"] for each in objects}


@pytest.mark.parametrize("profile", ["production", "gpu"])
def test_the_deploy_step_copies_bundles_to_where_serving_finds_them(tmp_path: Path, profile: str) -> None:
    objects = _objects(tmp_path, profile, f"install/{profile}.md")
    spec = one(objects, "PipelineVersion")["spec"]
    step = spec["pipelineSpec"]["deploymentSpec"]["executors"]["exec-deploy-bundle"]["container"]
    settings = {each["name"]: each.get("value") for each in step["env"]}
    pod = spec["platformSpec"]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-deploy-bundle"]
    mounts = {each["mountPath"]: each["constant"] for each in pod["pvcMount"]}
    store = settings["ENDCAP_ROLLOUTS__BUNDLE_STORE"]
    place = f"pvc://{mounts[store]}" if store in mounts else store
    assert settings["ENDCAP_ROLLOUTS__STORAGE_URI"] == place
    served = of_kind(objects, "InferenceService")[0]["spec"]["predictor"]["model"]["storageUri"]
    assert served == f"{place}/{FIRST_BUNDLE['version']}"


@pytest.mark.parametrize("field", ["secretKeyRef", "secretRef", "secretName", "imagePullSecrets", "secrets"])
def test_a_secret_is_found_wherever_it_is_named(field: str) -> None:
    places: dict[str, Document] = {
        "secretKeyRef": {"spec": {"env": [{"valueFrom": {"secretKeyRef": {"name": "login", "key": "token"}}}]}},
        "secretRef": {"spec": {"envFrom": [{"secretRef": {"name": "login"}}]}},
        "secretName": {"spec": {"volumes": [{"secret": {"secretName": "login"}}]}},
        "imagePullSecrets": {"spec": {"imagePullSecrets": [{"name": "login"}]}},
        "secrets": {"kind": "ServiceAccount", "secrets": [{"name": "login"}]},
    }
    found = named_secrets([{"kind": "Pod", "metadata": {"name": "part", "namespace": "shop"}, **places[field]}], "elsewhere")
    assert list(found) == [("shop", "login")]
