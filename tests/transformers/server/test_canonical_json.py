"""JSON of which something would be lost, or that is nested too deep, wherever it may stand."""

import httpx
import pytest

from endcap_transformer.server.parsing_v2 import LENGTH_HEADER
from tests.transformers.server.shop import INFER, PREDICT


@pytest.mark.parametrize("path", [PREDICT, INFER])
async def test_keys_that_stand_twice_are_refused(client: httpx.AsyncClient, path: str) -> None:
    for content in (b'{"instances": [], "instances": [{}]}', b'{"inputs": [], "a": {"k": 1, "k": 2}}'):
        response = await client.post(path, content=content, headers={"content-type": "application/json"})
        assert response.status_code == 400
        assert "stands twice in one object" in response.json()["error"]


async def test_keys_that_stand_twice_before_tensors_as_bytes_are_refused(client: httpx.AsyncClient) -> None:
    head = b'{"inputs": [{"name": "user_id", "name": "surface", "shape": [1], "datatype": "BYTES"}]}'
    headers = {"content-type": "application/octet-stream", LENGTH_HEADER: str(len(head))}
    response = await client.post(INFER, content=head, headers=headers)
    assert (response.status_code, response.json()) == (400, {"error": "name: stands twice in one object; leave one out"})


EVENT = {"ce-specversion": "1.0", "ce-id": "7", "ce-source": "shop", "ce-type": "predict"}


@pytest.mark.parametrize("depth", [100, 253, 254, 255, 300, 1_000, 5_000, 50_000])
@pytest.mark.parametrize(("opened", "closed"), [(b"[", b"]"), (b'{"a":', b"}"), (b'{"instances":[', b"]}"), (b'{"k":1,"k":', b"}")])
@pytest.mark.parametrize(("path", "headers"), [(PREDICT, {}), (INFER, {}), (PREDICT, EVENT), (PREDICT, {"ce-id": "7"}), (INFER, EVENT)])
async def test_no_depth_makes_the_server_fail(  # noqa: PLR0917
    client: httpx.AsyncClient, path: str, headers: dict[str, str], opened: bytes, closed: bytes, depth: int
) -> None:
    response = await client.post(path, content=opened * depth + b"1" + closed * depth, headers=headers)
    assert response.status_code == 400, response.text


async def test_keys_that_stand_twice_in_an_event_are_refused(client: httpx.AsyncClient) -> None:
    structured = b'{"specversion": "1.0", "id": "7", "source": "s", "type": "t", "data": {"instances": [{"k": 1, "k": 2}]}}'
    for content, headers in ((structured, {"content-type": "application/cloudevents+json"}), (b'{"instances": [{"k": 1, "k": 2}]}', EVENT)):
        response = await client.post(PREDICT, content=content, headers=headers)
        assert (response.status_code, response.json()) == (400, {"error": "k: stands twice in one object; leave one out"})


async def test_a_field_as_json_of_any_depth_is_refused(client: httpx.AsyncClient) -> None:
    for depth in (254, 300, 1_000, 50_000):
        tensor = {"name": "filters", "shape": [1], "datatype": "BYTES", "data": ["[" * depth + "]" * depth]}
        assert (await client.post(INFER, json={"inputs": [tensor]})).status_code == 400
