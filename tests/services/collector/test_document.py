"""What the OpenAPI document allows and what it does not: the answers are what it promises."""

import signal
from collections.abc import Iterator

import pytest
import requests
import schemathesis
from schemathesis import GenerationMode, checks

from endcap_collector.openapi import openapi_document
from tests.faults.hostile import drawn
from tests.properties import share_of
from tests.services.collector.collector_process import CollectorProcess

pytestmark = [pytest.mark.processes, pytest.mark.properties]

REQUESTS, PIXEL_REQUESTS, IN_EVERY_RUN = 450, 150, 20
"""Of each way in and each kind of case; together with what strangers send these are 10,000."""
PROMISES = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    process = CollectorProcess(tmp_path_factory.mktemp("collector") / "home")
    yield process
    process.end(signal.SIGTERM)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("path", "method"), [("/v1/events", "POST"), ("/v1/items", "PUT"), ("/v1/pixel", "GET")])
def test_document_is_kept(collector: CollectorProcess, path: str, method: str, mode: GenerationMode) -> None:
    operation = schemathesis.openapi.from_dict(openapi_document())[path][method]
    with requests.Session() as session:
        session.trust_env = False
        for case in drawn(
            operation.as_strategy(mode), share_of(PIXEL_REQUESTS if path == "/v1/pixel" else REQUESTS, most_in_every_run=IN_EVERY_RUN)
        ):
            response = case.call(base_url=collector.address, session=session, timeout=60)
            case.validate_response(response, checks=PROMISES)
