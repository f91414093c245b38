"""The pipeline that the chart registers by template is the one that the command compiles from the same values."""

import json
from typing import Any

import pytest
import yaml
from google.protobuf import json_format

from endcap_pipelines.compiling import compile_pipeline
from endcap_pipelines.values import ChartValues, read_values
from tests.charts.chart import CHART, of_kind, program, render
from tests.pipelines.kfp_server.packages import Package, read_package

WITH_EVERYTHING = CHART / "profiles" / "production.yaml", CHART / "profiles" / "gpu.yaml"
MORE: dict[str, Any] = {
    "images": {"registry": "registry.example", "pullPolicy": "Always", "pullSecrets": ["registry"]},
    "pipelines": {
        "enabled": True,
        "image": {"digest": f"sha256:{'0123456789abcdef' * 4}"},
        "dataDir": "/mnt/shop/canonical",
        "gpus": {"count": 2, "nodeSelector": {"pool": "gpu"}, "tolerations": [{"key": "team", "operator": "Equal", "value": "shop"}]},
        "volumes": [{"claimName": "shop", "mountPath": "/mnt/shop"}],
        "secretEnv": [{"secretName": "shop", "key": "password", "env": "SHOP_PASSWORD"}],
        "env": {"ENDCAP_SEED": "7"},
        "resources": {"train-ranker": {"cpu": "1500m", "memory": "20Gi"}},
        "parameters": {"min_gain": 0.01, "batching": {"queries_max": 64}},
    },
}

pytestmark = [pytest.mark.processes, pytest.mark.skipif(program("helm") is None, reason="helm is not there: make setup")]


@pytest.fixture(scope="module", params=["a profile", "everything"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[ChartValues, Package, Package]:
    """The values, the compiled pipeline, and the chart's."""
    folder = tmp_path_factory.mktemp("both")
    more = folder / "more.yaml"
    more.write_text(yaml.safe_dump(MORE if request.param == "everything" else {}))
    production, gpu = WITH_EVERYTHING
    values = read_values([production, gpu, more])
    (version,) = of_kind(render(folder, "production", None, "--values", str(gpu), "--values", str(more)), "PipelineVersion")
    text = yaml.safe_dump_all([version["spec"]["pipelineSpec"], version["spec"]["platformSpec"]])
    return values, read_package(compile_pipeline(folder / "pipeline.yaml", values).read_text()), read_package(text)


def executors(package: Package) -> dict[str, Any]:
    spec = json_format.MessageToDict(package.spec)
    return {name: executor["container"] for name, executor in spec["deploymentSpec"]["executors"].items()}


def settings(package: Package) -> dict[str, Any]:
    return {name: json_format.MessageToDict(each) for name, each in package.settings.items()}


def test_apart_from_executors_and_defaults_they_are_equal(both: tuple[ChartValues, Package, Package]) -> None:
    compiled, chart = (json_format.MessageToDict(each.spec) for each in both[1:])
    for spec in (compiled, chart):
        for container in spec["deploymentSpec"]["executors"].values():
            container["container"].pop("env")
            container["container"]["resources"] = {
                name: value if isinstance(value, dict | str) else pytest.approx(value, rel=1e-6)
                for name, value in container["container"]["resources"].items()
            }
    assert compiled == chart


def test_gpus_tolerations_and_pull_settings_are_equal(both: tuple[ChartValues, Package, Package]) -> None:
    compiled, chart = settings(both[1]), settings(both[2])
    own = ("pvcMount", "secretAsEnv", "secretAsVolume", "configMapAsVolume")
    assert {name: {key: value for key, value in each.items() if key not in own} for name, each in compiled.items()} == {
        name: {key: value for key, value in each.items() if key not in own} for name, each in chart.items()
    }


def test_the_chart_s_volumes_and_secrets_are_the_values_and_its_own_on_the_same_steps(both: tuple[ChartValues, Package, Package]) -> None:
    compiled, chart = settings(both[1]), settings(both[2])
    for key in ("pvcMount", "secretAsEnv"):
        assert {name for name, each in chart.items() if key in each} >= {name for name, each in compiled.items() if key in each}
        for name, each in compiled.items():
            there = [json.dumps(entry, sort_keys=True) for entry in chart[name].get(key, [])]
            assert all(json.dumps(entry, sort_keys=True) in there for entry in each.get(key, [])), name


def test_every_step_of_the_chart_has_the_values_environment(both: tuple[ChartValues, Package, Package]) -> None:
    wanted = {"ENDCAP_PROFILE": "cluster", **both[0].pipelines.env}
    for container in executors(both[2]).values():
        given = {each["name"]: each["value"] for each in container["env"]}
        assert wanted.items() <= given.items()


def test_the_chart_tells_the_last_step_where_to_roll_out(both: tuple[ChartValues, Package, Package]) -> None:
    given = {each["name"]: each["value"] for each in executors(both[2])["exec-deploy-bundle"]["env"]}
    assert given["ENDCAP_ROLLOUTS__TARGET"] == "endcap"
    mounted = [each["mountPath"] for each in settings(both[2])["exec-deploy-bundle"]["pvcMount"]]
    assert given["ENDCAP_ROLLOUTS__BUNDLE_STORE"] in mounted
    assert given["ENDCAP_ROLLOUTS__STORAGE_URI"].startswith("pvc://")
    assert given["ENDCAP_HOME"] in mounted
