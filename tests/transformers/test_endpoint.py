"""The predict endpoint as a client sees it, over the real processes."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import httpx
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc

STAGES = {"parse", "features", "query", "eligibility", "retrieval", "rank", "rules", "slate", "respond", "total"}
NEVER_IN_STOCK = "I000049"


def bytes_input(name: str, values: list[str]) -> pb.ModelInferRequest.InferInputTensor:
    contents = pb.InferTensorContents(bytes_contents=[value.encode() for value in values])
    return pb.ModelInferRequest.InferInputTensor(name=name, shape=[len(values)], datatype="BYTES", contents=contents)


def infer(endpoint, inputs, model="endcap", **fields):
    with grpc.insecure_channel(endpoint.grpc) as channel:
        stub = grpc_predict_v2_pb2_grpc.GRPCInferenceServiceStub(channel)
        return stub.ModelInfer(pb.ModelInferRequest(model_name=model, inputs=inputs, **fields), timeout=30)


def test_known_user_gets_a_full_list_with_every_stage_timed(endpoint) -> None:
    answer = endpoint.predict({"user_id": "U1", "k": 12})[0]
    assert [item["position"] for item in answer["recommendations"]] == list(range(1, 13))
    assert len({item["item_id"] for item in answer["recommendations"]}) == 12
    assert answer["degraded"] == []
    assert set(answer["timings_ms"]) == STAGES
    assert answer["bundle"] == "endcap-1"


def test_same_request_gets_the_same_list(endpoint) -> None:
    first, second = (endpoint.predict({"user_id": "U2"})[0]["recommendations"] for _ in range(2))
    assert first == second


def test_unknown_user_gets_popular_items_and_nothing_is_degraded(endpoint) -> None:
    answer = endpoint.predict({"user_id": "nobody", "k": 5})[0]
    assert len(answer["recommendations"]) == 5
    assert {item["source"] for item in answer["recommendations"]} <= {"popular", "trending"}
    assert answer["degraded"] == []


def test_unknown_user_with_a_session_gets_what_goes_with_the_session(endpoint) -> None:
    answer = endpoint.predict({"session_id": json.dumps(["I000500"]), "k": 300})[0]
    assert any(item["reason"].startswith("Goes with Item 500 ") for item in answer["recommendations"])
    assert answer["degraded"] == []


def test_anonymous_visits_of_one_click_get_nearest_items_of_their_own(endpoint) -> None:
    clicks = [{"session_id": json.dumps(["I000500"])}, {"session_id": json.dumps(["I000100"])}, {"item_ids": ["I000500"]}]
    answers = endpoint.predict(*(click | {"k": 50} for click in clicks))
    assert [answer["degraded"] for answer in answers] == [[], [], []]
    one, other, by_request = ({i["item_id"] for i in answer["recommendations"] if i["source"] == "two_tower"} for answer in answers)
    assert one - other
    assert other - one
    assert by_request & one


def test_unknown_items_are_ignored_and_named(endpoint) -> None:
    answer = endpoint.predict({"user_id": "U1", "item_ids": ["nope", "I000003"], "exclude": ["gone"], "surface": "cart"})[0]
    assert answer["ignored"] == ["nope", "gone"]
    assert answer["recommendations"]


def test_product_page_shows_what_goes_with_its_item(endpoint) -> None:
    answer = endpoint.predict({"user_id": "U1", "surface": "product", "item_ids": ["I000700"], "k": 20})[0]
    reasons = [item["reason"] for item in answer["recommendations"]]
    assert any(reason.startswith("Goes with Item 700 ") for reason in reasons)
    assert all("Item 700 " in reason for reason in reasons[:5]), reasons


def test_search_orders_exactly_the_items_given(endpoint) -> None:
    given = ["I000001", "I000900", NEVER_IN_STOCK, "I001200"]
    answer = endpoint.predict({"user_id": "U1", "surface": "search", "item_ids": given})[0]
    assert {item["item_id"] for item in answer["recommendations"]} == set(given) - {NEVER_IN_STOCK}


def test_category_filter_holds_at_every_level(endpoint) -> None:
    for name in ("PRODUCE", "PRODUCE aisle 5", "PRODUCE > PRODUCE aisle 5 > PRODUCE shelf 5"):
        answer = endpoint.predict({"user_id": "U1", "surface": "category", "filters": {"categories": [name]}, "k": 8})[0]
        assert len(answer["recommendations"]) == 8
        assert {int(item["item_id"][1:]) % 4 for item in answer["recommendations"]} == {1}


def test_several_instances_are_answered_in_order(endpoint) -> None:
    answers = endpoint.predict(*({"user_id": f"U{n}", "k": n + 1} for n in range(8)), **{"x-request-id": "abc"})
    assert [len(answer["recommendations"]) for answer in answers] == list(range(1, 9))
    assert [answer["request_id"] for answer in answers] == [f"abc-{n}" for n in range(1, 9)]


def test_request_id_of_the_caller_is_kept(endpoint) -> None:
    assert endpoint.predict({}, **{"x-request-id": "order-17"})[0]["request_id"] == "order-17"


def test_explanation_only_when_asked_for(endpoint) -> None:
    plain, explained = endpoint.predict({"user_id": "U1"}, {"user_id": "U1", "explain": True})
    assert "explanation" not in plain["recommendations"][0]
    assert set(explained["recommendations"][0]["explanation"]) == {
        *("sources", "objectives", "score", "rules", "diversity", "exploration", "place", "models", "value"),
    }


def test_v2_over_http_says_the_same_as_v1(endpoint) -> None:
    v1 = endpoint.predict({"user_id": "U1", "k": 4})[0]
    inputs = [
        {"name": "user_id", "shape": [2], "datatype": "BYTES", "data": ["U1", ""]},
        {"name": "k", "shape": [2], "datatype": "INT32", "data": [4, 6]},
    ]
    response = httpx.post(f"{endpoint.http}/v2/models/endcap/infer", json={"inputs": inputs}, timeout=30).json()
    outputs = {output["name"]: output for output in response["outputs"]}
    assert outputs["item_id"]["shape"] == outputs["score"]["shape"] == [2, 6]
    assert outputs["item_id"]["data"][:6] == [item["item_id"] for item in v1["recommendations"]] + ["", ""]
    assert outputs["score"]["data"][4:6] == [None, None]
    assert json.loads(outputs["answer"]["data"][0])["recommendations"] == v1["recommendations"]


def test_v2_over_grpc_says_the_same_as_v1(endpoint) -> None:
    v1 = endpoint.predict({"user_id": "U1", "surface": "cart", "item_ids": ["I000007"], "k": 3})[0]
    count = pb.ModelInferRequest.InferInputTensor(
        name="k", shape=[1], datatype="INT64", contents=pb.InferTensorContents(int64_contents=[3])
    )
    inputs = [bytes_input("user_id", ["U1"]), bytes_input("surface", ["cart"]), bytes_input("item_ids", ['["I000007"]']), count]
    response = infer(endpoint, inputs)
    outputs = {output.name: output for output in response.outputs}
    assert [value.decode() for value in outputs["item_id"].contents.bytes_contents] == [item["item_id"] for item in v1["recommendations"]]
    assert list(outputs["score"].contents.fp32_contents) == pytest.approx([item["score"] for item in v1["recommendations"]])
    assert json.loads(outputs["answer"].contents.bytes_contents[0])["recommendations"] == v1["recommendations"]


def test_readiness_and_metadata(endpoint) -> None:
    assert httpx.get(f"{endpoint.http}/v2/health/ready").json() == {"ready": True}
    assert httpx.get(f"{endpoint.http}/v1/models/endcap").json() == {"name": "endcap", "ready": True}
    metadata = httpx.get(f"{endpoint.http}/v2/models/endcap").json()
    assert {output["name"] for output in metadata["outputs"]} == {"item_id", "score", "answer"}


def test_metrics_count_stages(endpoint) -> None:
    endpoint.predict({"user_id": "U1"})
    assert 'endcap_stage_seconds_count{stage="rank"}' in httpx.get(f"{endpoint.http}/metrics").text


def test_a_transformer_shows_its_station_of_probes(endpoint) -> None:
    assert 'endcap_probe_timestamp_seconds{station="transformer"}' in httpx.get(f"{endpoint.http}/metrics").text


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"instances": [{"k": 501}]}, "instances[0].k: must be at most 500; got 501"),
        ({"instances": [{"k": 0}]}, "instances[0].k: must be at least 1; got 0"),
        ({"instances": [{"k": "5"}]}, "instances[0].k: must be a whole number; got '5'"),
        ({"instances": [{}, {"user_id": 5}]}, "instances[1].user_id: must be text; got 5"),
        ({"instances": [{"surface": "moon"}]}, "instances[0].surface: must be one of 'cart', 'category', 'email', 'home'"),
        ({"instances": [{"colour": "red"}]}, "instances[0].colour: unknown field; allowed are user_id, session_id"),
        ({"instances": [{"filters": {"size": 1}}]}, "instances[0].filters.size: unknown field; allowed are categories, brands"),
        ({"instances": [{"surface": "product"}]}, "surface product needs the page's item"),
        ({"instances": [{"context": {"time": "2026-11-27T08:00:00"}}]}, "instances[0].context.time: the time has no zone"),
        ({"instances": []}, "instances: must have at least 1"),
        ({"inputs": []}, "instances: is required"),
        ([], "body: must be an object"),
    ],
)
def test_bad_v1_body_is_refused_by_name(endpoint, body, message) -> None:
    response = httpx.post(f"{endpoint.http}/v1/models/endcap:predict", json=body)
    assert response.status_code == 400
    assert message in response.json()["error"]
    assert "Traceback" not in response.text


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"", b'{"instances":[{"user_id":"\\ud800"}]}', b"[" * 5000])
def test_no_json_is_refused(endpoint, content) -> None:
    for headers in ({"content-type": "application/json"}, {"content-type": "text/plain"}):
        response = httpx.post(f"{endpoint.http}/v1/models/endcap:predict", content=content, headers=headers)
        assert response.status_code == 400
        assert set(response.json()) == {"error"}


def test_body_over_the_limit_is_refused_announced_or_chunked(endpoint) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * 32_768

    for content in (b"x" * (1024 * 1024 + 1), chunks()):
        response = httpx.post(f"{endpoint.http}/v1/models/endcap:predict", content=content)
        assert response.status_code == 413
        assert response.json() == {"error": "body: at most 1048576 bytes, unpacked"}


def test_unknown_model_or_path_is_not_found(endpoint) -> None:
    for path in ("/v1/models/other:predict", "/v2/models/other/infer", "/elsewhere"):
        response = httpx.post(f"{endpoint.http}{path}", json={"instances": [{}], "inputs": []})
        assert response.status_code == 404
        assert set(response.json()) == {"error"}


def test_a_served_model_cannot_be_unloaded_by_request(endpoint) -> None:
    response = httpx.post(f"{endpoint.http}/v2/repository/models/endcap/unload")
    assert response.status_code == 501
    assert endpoint.predict({"user_id": "U1"})[0]["recommendations"]


def test_grpc_errors_have_their_codes(endpoint) -> None:
    cases = [
        ({"inputs": [bytes_input("surface", ["moon"])]}, grpc.StatusCode.INVALID_ARGUMENT, "surface: must be one of"),
        ({"inputs": [bytes_input("colour", ["red"])]}, grpc.StatusCode.INVALID_ARGUMENT, "inputs[colour]: unknown tensor"),
        ({"inputs": [bytes_input("user_id", ["U1"])], "raw_input_contents": [b"\x09\x00"]}, grpc.StatusCode.INVALID_ARGUMENT, ""),
        ({"inputs": [bytes_input("user_id", ["U1"])], "model": "other"}, grpc.StatusCode.NOT_FOUND, "other"),
        ({"inputs": [bytes_input("user_id", ["U1"])], "model_version": "7"}, grpc.StatusCode.INVALID_ARGUMENT, "model_version: must be"),
    ]
    for fields, code, message in cases:
        with pytest.raises(grpc.RpcError) as caught:
            infer(endpoint, **fields)
        assert caught.value.code() is code
        assert message in caught.value.details()


@contextmanager
def stopped(process) -> Iterator[None]:
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


def test_silent_model_server_degrades_and_recovers(endpoint) -> None:
    with stopped(endpoint.process("endcap_model_server")):
        answer = endpoint.predict({"user_id": "U31", "k": 5})[0]
        page = endpoint.predict({"user_id": "U32", "surface": "product", "item_ids": ["I000700"], "k": 5})[0]
    assert answer["degraded"] == page["degraded"] == ["query", "rank"]
    assert len(answer["recommendations"]) == 5
    assert page["recommendations"][0]["item_id"] == "I000701"
    deadline = time.monotonic() + 20
    while endpoint.predict({"user_id": "U1"})[0]["degraded"]:
        assert time.monotonic() < deadline


def test_silent_milvus_degrades_and_recovers(endpoint) -> None:
    import psutil

    milvus = next(each for each in psutil.Process(endpoint.supervisor_pid).children(recursive=True) if each.name() == "milvus")
    with stopped(milvus):
        answer = endpoint.predict({"user_id": "U1", "k": 5})[0]
    assert answer["degraded"] == ["two_tower"]
    assert len(answer["recommendations"]) == 5
    deadline = time.monotonic() + 20
    while endpoint.predict({"user_id": "U1"})[0]["degraded"]:
        assert time.monotonic() < deadline


def test_everything_listens_on_loopback_only(endpoint) -> None:
    import psutil

    for process in psutil.Process(endpoint.supervisor_pid).children(recursive=True):
        for connection in process.connections(kind="inet"):
            if connection.status == psutil.CONN_LISTEN:
                assert connection.laddr.ip.removeprefix("::ffff:") == "127.0.0.1", (process.cmdline(), connection)
