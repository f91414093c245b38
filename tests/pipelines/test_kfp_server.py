"""The strict server refuses what the published API does not have; otherwise it would prove nothing about submissions."""

from pathlib import Path

import httpx
import pytest

from endcap_pipelines.compiling import compile_pipeline
from endcap_pipelines.values import ChartValues
from tests.pipelines.kfp_server.packages import read_package
from tests.pipelines.kfp_server.published_api import operations
from tests.pipelines.kfp_server.published_models import Refused, check_document
from tests.pipelines.kfp_server.server import serving
from tests.pipelines.kfp_server.state import Pipelines


def test_the_published_client_s_operations_are_known() -> None:
    known = {operation.name: operation for operation in operations()}
    assert len(known) >= 40
    assert known["run_service_create_run"].body == "V2beta1Run"
    assert known["experiment_service_list_experiments"].query == {"page_token", "page_size", "sort_by", "filter", "namespace"}
    assert known["upload_pipeline_version"].file == "uploadfile"


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"display_name": "run", "name": "run"}, "no field"),
        ({"display_name": 7}, "must be str"),
        ({"runtime_config": {"parameters": []}}, "must be a map"),
        ({"runtime_config": {"arguments": {}}}, "no field"),
        ({"state": "DONE"}, "one of"),
        ({"created_at": "yesterday"}, "a time"),
        ([], "V2beta1Run"),
    ],
)
def test_a_run_that_does_not_fit_its_model_is_refused(document: object, told: str) -> None:
    with pytest.raises(Refused, match=told):
        check_document(document, "V2beta1Run")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/apis/v1beta1/pipelines", None),
        ("GET", "/apis/v2beta1/pipelines?name=endcap", None),
        ("POST", "/apis/v2beta1/runs", '{"display_name": "run", "resource_references": []}'),
        ("POST", "/apis/v2beta1/runs", "{"),
        ("POST", "/apis/v2beta1/runs", None),
        ("GET", "/apis/v2beta1/pipelines?filter=endcap", None),
    ],
)
def test_requests_outside_the_published_api_are_refused_and_noted(method: str, path: str, body: str | None) -> None:
    pipelines = Pipelines()
    with serving(pipelines) as address:
        assert httpx.request(method, f"{address}{path}", content=body).status_code == httpx.codes.BAD_REQUEST
    assert len(pipelines.violations) == 1


def test_a_package_with_an_unknown_field_is_refused(tmp_path: Path) -> None:
    text = compile_pipeline(tmp_path / "pipeline.yaml", ChartValues()).read_text()
    assert read_package(text).name == "endcap-training"
    with pytest.raises(Refused, match="podPriority"):
        read_package(text.replace("podMetadata:", "podPriority: 1\n          podMetadata:", 1))
    with pytest.raises(Refused, match="nodes"):
        read_package(text.replace("deploymentSpec:\n", "nodes: {}\ndeploymentSpec:\n", 1))


def test_parameters_are_held_against_the_pipeline_s_inputs(tmp_path: Path) -> None:
    package = read_package(compile_pipeline(tmp_path / "pipeline.yaml", ChartValues()).read_text())
    package.check_parameters({"data_dir": "/data", "test_weeks": 4})
    with pytest.raises(Refused, match="no input"):
        package.check_parameters({"datadir": "/data"})
    with pytest.raises(Refused, match="NUMBER_INTEGER"):
        package.check_parameters({"test_weeks": "4"})
