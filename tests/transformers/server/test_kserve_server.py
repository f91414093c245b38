"""KServe's application behind endcap's layers, within this process."""

import json
from typing import Any

import httpx
import pytest

from endcap.contracts.openapi import openapi_document
from endcap_transformer.server.parsing_v2 import LENGTH_HEADER
from tests.transformers.server.shop import INFER, PREDICT, USER


async def binary(client: httpx.AsyncClient, document: Any, tail: bytes) -> httpx.Response:
    head = json.dumps(document).encode()
    headers = {"content-type": "application/octet-stream", LENGTH_HEADER: str(len(head))}
    return await client.post(INFER, content=head + tail, headers=headers)


async def test_the_document_names_the_model(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert document == openapi_document("shop")
    assert "/v1/models/shop:predict" in document["paths"]


async def test_binary_tensors_are_answered(client: httpx.AsyncClient) -> None:
    tensor = USER | {"parameters": {"binary_data_size": 6}}
    response = await binary(client, {"inputs": [tensor], "outputs": [{"name": "item_id"}]}, b"\x02\x00\x00\x00U1")
    assert response.status_code == 200, response.text
    assert response.json()["outputs"][0]["data"][:2] == ["I1", "I2"]


@pytest.mark.parametrize("size", [1, 5, -1, "6", None, {}])
async def test_bytes_that_do_not_fit_the_tensors_are_refused(client: httpx.AsyncClient, size: Any) -> None:
    response = await binary(client, {"inputs": [USER | {"parameters": {"binary_data_size": size}}]}, b"\x02\x00\x00\x00U1")
    assert response.status_code == 400, response.text
    assert set(response.json()) == {"error"}


async def test_binary_json_of_another_type_is_refused_by_name(client: httpx.AsyncClient) -> None:
    response = await binary(client, {"inputs": [USER | {"shape": "1"}]}, b"")
    assert response.status_code == 400
    assert response.json()["error"].startswith("inputs.0.shape: ")


async def test_half_a_character_in_the_id_is_refused_by_name(client: httpx.AsyncClient) -> None:
    content = json.dumps({"inputs": [USER | {"data": ["U1"]}], "id": "\ud800"})
    response = await client.post(INFER, content=content, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert response.json()["error"].startswith("id: holds half a character")


EVENT = {"specversion": "1.0", "id": "7", "source": "shop", "type": "predict", "time": "2018-01-01T00:00:00Z"}
INSTANCES = {"instances": [{"surface": "home", "k": 2}]}


async def test_a_binary_event_is_answered_by_one(client: httpx.AsyncClient) -> None:
    headers = {f"ce-{name}": value for name, value in EVENT.items()} | {"x-request-id": "r1"}
    response = await client.post("/v1/models/shop:predict", json=INSTANCES, headers=headers)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["ce-type"] == "io.kserve.inference.response"
    (answer,) = response.json()["predictions"]
    assert answer["request_id"] == "r1"
    assert [item["item_id"] for item in answer["recommendations"]] == ["I1", "I2"]


async def test_a_structured_event_is_answered_by_one(client: httpx.AsyncClient) -> None:
    content = json.dumps(EVENT | {"data": INSTANCES})
    response = await client.post("/v1/models/shop:predict", content=content, headers={"content-type": "application/cloudevents+json"})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/cloudevents+json"
    assert response.json()["type"] == "io.kserve.inference.response"
    assert [item["item_id"] for item in response.json()["data"]["predictions"][0]["recommendations"]] == ["I1", "I2"]


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"instances": []}', b'{"specversion": "1.0", "id": "7", "source": "s", "type": "t"}'])
async def test_events_that_cannot_be_read_are_refused(client: httpx.AsyncClient, content: bytes) -> None:
    for headers in ({"content-type": "application/cloudevents+json"}, {f"ce-{name}": value for name, value in EVENT.items()}):
        response = await client.post("/v1/models/shop:predict", content=content, headers=headers)
        assert response.status_code == 400, response.text
        assert set(response.json()) == {"error"}


@pytest.mark.parametrize("accepted", ["gzip", "gzip, deflate, br"])
async def test_long_answers_are_packed_for_those_who_ask(client: httpx.AsyncClient, accepted: str) -> None:
    body = {"instances": [{"k": 100}]}
    packed = await client.post(PREDICT, json=body, headers={"accept-encoding": accepted})
    plain = await client.post(PREDICT, json=body, headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert int(packed.headers["content-length"]) < len(plain.content) / 3
    assert packed.json()["predictions"][0]["recommendations"] == plain.json()["predictions"][0]["recommendations"]
    short = await client.post(PREDICT, json={"instances": [{"k": 1}]}, headers={"accept-encoding": accepted})
    assert "content-encoding" not in short.headers
