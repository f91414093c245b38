"""V2 as clients write it who know V1."""

import json

import httpx
import pytest

from endcap_transformer.server.parsing_v2 import LENGTH_HEADER
from tests.transformers.server.shop import INFER, PREDICT, V2_BODY


@pytest.mark.parametrize("headers", [{}, {"content-type": "application/x-www-form-urlencoded"}, {"content-type": "text/plain"}])
async def test_v2_reads_json_whatever_the_content_type_says(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    response = await client.post(INFER, content=json.dumps(V2_BODY).encode(), headers=headers)
    assert response.status_code == 200, response.text
    broken = await client.post(INFER, content=b"{", headers=headers)
    assert broken.status_code == 400
    assert "header-content-length" not in broken.text


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
