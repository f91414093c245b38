"""What strangers send: bodies and headers from nearly right to bytes that mean nothing, as hypothesis strategies."""

import json
import re
from random import Random
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb

from tests.faults.made_home import FIRST, USERS
from tests.faults.raw_http import V1, V2, post

T = TypeVar("T")
SURFACES = ("home", "product", "product_similar", "product_bought_together", "cart", "category", "search", "email")

texts = st.text(max_size=140)
oddities = st.sampled_from(
    [
        None,
        True,
        "",
        " ",
        "\x00",
        "\ud800",
        "\u202eabc",
        "😀" * 40,
        "é" * 128,
        "A" * 129,
        "null",
        "' or 1=1 --",
        "${jndi:ldap://x}",
        "../../etc/passwd",
        "<script>",
        -1,
        0,
        501,
        2**31,
        2**63,
        2**64,
        10**400,
        -(10**30),
        0.5,
        -0.0,
        1e308,
        5e-324,
        float("nan"),
        float("inf"),
        [],
        {},
        [[]],
        [None],
        {"": None},
        {"$ref": "#"},
        ["x"] * 1001,
    ]
)
json_values = st.recursive(
    oddities | texts | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)

users = st.integers(0, USERS - 1).map(lambda number: f"U{number}") | st.sampled_from(["nobody", "U-1", "u1"]) | texts.filter(bool)
items = st.integers(0, FIRST.items - 1).map(lambda number: f"I{number:06d}") | st.sampled_from(["gone", "I9", "I000049"])
categories = st.sampled_from(["PRODUCE", "PRODUCE aisle 5", "MEAT > MEAT aisle 3 > MEAT shelf 15", "GROCERY", "NOTHING", "'"])
brands = st.sampled_from(["Brand 1", "Brand 25", "Brand 499", "None", "'; drop"])
prices = st.sampled_from([0, 0.0, 0.5, 3, 9.99, 20, 1e9, 1.7e308])
moments = st.sampled_from(
    [
        "2017-12-31T23:59:00Z",
        "2026-11-27T08:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "1969-12-31T23:59:59Z",
        "2016-02-29T12:00:00+00:00",
    ]
)

filters = st.fixed_dictionaries(
    {},
    optional={
        "categories": st.lists(categories, max_size=4) | st.none(),
        "brands": st.lists(brands, max_size=4) | st.none(),
        "price_min": prices,
        "price_max": prices,
        "new_to_user": st.booleans(),
    },
)
contexts = st.fixed_dictionaries(
    {},
    optional={
        "device": st.sampled_from(["desktop", "mobile", "till", "?"]),
        "geo": texts.map(lambda text: text[:64]),
        "time": moments,
        "page": texts,
    },
)
preferences = st.fixed_dictionaries({}, optional={"categories": st.lists(categories, max_size=3), "brands": st.lists(brands, max_size=3)})
valid_fields: dict[str, st.SearchStrategy[Any]] = {
    "user_id": users,
    "session_id": users,
    "surface": st.sampled_from(SURFACES),
    "item_ids": st.lists(items, max_size=6) | st.integers(1, 500).map(lambda count: [f"I{number:06d}" for number in range(count)]),
    "k": st.integers(1, 40) | st.sampled_from([1, 500]),
    "filters": filters,
    "context": contexts,
    "preferences": preferences,
    "exclude": st.lists(items, max_size=6) | st.integers(1, 1000).map(lambda count: [f"I{number:06d}" for number in range(count)]),
    "explain": st.booleans(),
}
valid_instances = st.fixed_dictionaries({}, optional=valid_fields)
FIELDS = (*valid_fields, "colour", "filters.categories", "instances")


def _spoilt(drawn: tuple[dict[str, Any], str, Any]) -> dict[str, Any]:
    instance, field, value = drawn
    if "." in field:
        outer, inner = field.split(".")
        return instance | {outer: {inner: value}}
    return instance | {field: value}


nearly_valid_instances = st.tuples(valid_instances, st.sampled_from(FIELDS), json_values).map(_spoilt)
instances = st.one_of(valid_instances, nearly_valid_instances)
bodies = st.one_of(
    st.lists(valid_instances, min_size=1, max_size=3).map(lambda each: {"instances": each}),
    st.lists(instances, min_size=1, max_size=3).map(lambda each: {"instances": each}),
    json_values.map(lambda value: {"instances": value}),
    json_values,
)


def written(value: Any) -> bytes:
    """JSON as Python writes it: NaN, Infinity, lone surrogates and numbers of 400 digits included."""
    return json.dumps(value).encode()


def _deep(depth: int, kind: str) -> bytes:
    opened, closed = {"list": ("[", "]"), "object": ('{"a":', "}"), "field": ('{"instances":[{"filters":' + "[", "]}]}")}[kind]
    return (opened * depth + "1" + closed * depth).encode()


v1_bytes = st.one_of(
    bodies.map(written),
    bodies.map(written),
    st.tuples(bodies.map(written), st.integers(0, 400)).map(lambda drawn: drawn[0][: drawn[1]]),
    st.binary(max_size=200),
    st.builds(_deep, st.sampled_from([10, 300, 5_000, 100_000]), st.sampled_from(["list", "object", "field"])),
    st.sampled_from(
        [b"\xef\xbb\xbf{}", b'{"instances":[{}],"instances":[{"k":3}]}', b"{}" * 1000, b" " * 100_000, b'{"instances":[{"k":1e5}]}']
    ),
)

content_types = st.sampled_from(
    [
        "application/json",
        "application/json; charset=utf-16",
        "text/plain",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/cloudevents+json",
        "application/x-protobuf",
        "",
    ]
)
header_values = st.binary(max_size=40).map(lambda value: bytes(byte for byte in value if byte >= 32 and byte != 127) or b"x")
headers = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "x-request-id",
                "traceparent",
                "tracestate",
                "ce-id",
                "ce-specversion",
                "ce-type",
                "ce-source",
                "inference-header-content-length",
                "accept",
                "accept-encoding",
                "content-encoding",
                "authorization",
                "cookie",
                "x-forwarded-for",
                "x-unknown",
                "expect",
                "range",
                "upgrade",
            ]
        ),
        header_values
        | st.sampled_from(
            [b"1.0", b"0", b"-1", b"99999999999999999999", b"gzip", b"00-" + b"f" * 32 + b"-" + b"f" * 16 + b"-01", b"websocket"]
        ),
    ),
    max_size=3,
)


def _v1(drawn: tuple[bytes, str, list[tuple[str, bytes]]]) -> bytes:
    body, content_type, more = drawn
    return post(V1, body, [("content-type", content_type), *more])


v1_requests = st.tuples(v1_bytes, st.just("application/json") | content_types, st.just([]) | headers).map(_v1)

TENSORS = ("user_id", "session_id", "surface", "k", "explain", "item_ids", "exclude", "filters", "context", "preferences")
DATATYPES = ("BYTES", "INT32", "INT64", "BOOL", "FP32", "FP64", "UINT8", "INT8", "FP16", "STRING", "", "bytes")


def _as_tensor(name: str, value: Any) -> dict[str, Any]:
    datatype = {"k": "INT64", "explain": "BOOL"}.get(name, "BYTES")
    text = value if name in ("user_id", "session_id", "surface", "k", "explain") else json.dumps(value)
    return {"name": name, "shape": [1], "datatype": datatype, "data": [text]}


valid_tensors = valid_instances.map(lambda instance: [_as_tensor(name, value) for name, value in instance.items() if name in TENSORS])
odd_tensors = st.fixed_dictionaries(
    {
        "name": st.sampled_from([*TENSORS, "surprise", ""]) | texts,
        "shape": st.lists(st.sampled_from([0, 1, 2, 100, 101, -1, 2**31, 2**63]), max_size=3) | json_values,
        "datatype": st.sampled_from(DATATYPES) | texts,
        "data": st.lists(json_values, max_size=3) | json_values,
    },
    optional={"parameters": json_values | st.fixed_dictionaries({"binary_data_size": st.sampled_from([0, 1, -1, 2**40])})},
)
v2_bodies = st.one_of(
    valid_tensors.map(lambda tensors: {"inputs": tensors}),
    st.tuples(valid_tensors, odd_tensors).map(lambda drawn: {"inputs": [*drawn[0], drawn[1]]}),
    st.lists(odd_tensors, max_size=3).map(lambda tensors: {"inputs": tensors}),
    st.tuples(valid_tensors, json_values, json_values).map(lambda drawn: {"inputs": drawn[0], "outputs": drawn[1], "parameters": drawn[2]}),
    st.tuples(valid_tensors, json_values).map(lambda drawn: {"inputs": drawn[0], "id": drawn[1]}),
    st.tuples(valid_tensors, st.sampled_from(["item_id", "score", "answer", "other"]), st.booleans()).map(
        lambda drawn: {"inputs": drawn[0], "outputs": [{"name": drawn[1], "parameters": {"binary_data": drawn[2]}}]}
    ),
    json_values,
)
v2_bytes = st.one_of(
    v2_bodies.map(written), v2_bodies.map(written), st.binary(max_size=200), st.builds(_deep, st.just(50_000), st.just("list"))
)


def _v2(drawn: tuple[bytes, str, list[tuple[str, bytes]]]) -> bytes:
    body, content_type, more = drawn
    return post(V2, body, [("content-type", content_type), *more])


def _v2_binary(drawn: tuple[bytes, bytes, int | bytes]) -> bytes:
    document, tail, length = drawn
    said = length if isinstance(length, bytes) else b"%d" % (len(document) + length)
    return post(V2, document + tail, [("content-type", "application/octet-stream"), ("inference-header-content-length", said)])


binary_tensors = st.fixed_dictionaries(
    {
        "name": st.sampled_from(TENSORS),
        "shape": st.lists(st.sampled_from([0, 1, 2, -1, 2**40]), min_size=1, max_size=2),
        "datatype": st.sampled_from(DATATYPES),
        "parameters": st.fixed_dictionaries({"binary_data_size": st.sampled_from([0, 1, 4, 8, 9, -1, 2**40, "8", None])}),
    }
)
v2_binary_requests = st.tuples(
    st.one_of(v2_bytes, st.lists(binary_tensors, min_size=1, max_size=2).map(lambda tensors: written({"inputs": tensors}))),
    st.binary(max_size=12) | st.sampled_from([b"\x02\x00\x00\x00U1", b"\x05\x00\x00\x00\x00\x00\x00\x00"]),
    st.sampled_from([0, 0, 0, 0, 1, -1, -1000, 1000, b"", b"x", b"1e3", b"\xb2", b"9" * 400]),
).map(_v2_binary)
v2_json_requests = st.tuples(v2_bytes, st.just("application/json") | content_types, st.just([]) | headers).map(_v2)


def _contents(drawn: tuple[list[bytes], list[int], list[bool], list[float]]) -> pb.InferTensorContents:
    octets, whole, truths, floats = drawn
    return pb.InferTensorContents(bytes_contents=octets, int64_contents=whole, bool_contents=truths, fp32_contents=floats)


grpc_contents = st.tuples(
    st.lists(st.binary(max_size=60) | json_values.map(written), max_size=3),
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=2),
    st.lists(st.booleans(), max_size=2),
    st.lists(st.floats(width=32), max_size=2),
).map(_contents)
odd_grpc_tensors = st.builds(
    pb.ModelInferRequest.InferInputTensor,
    name=st.sampled_from([*TENSORS, "surprise", ""]),
    shape=st.lists(st.sampled_from([0, 1, 2, 101, -1, 2**62]), max_size=3),
    datatype=st.sampled_from(DATATYPES),
    contents=grpc_contents,
)


def _grpc_tensor(tensor: dict[str, Any]) -> pb.ModelInferRequest.InferInputTensor:
    value = tensor["data"][0]
    contents = pb.InferTensorContents(
        bytes_contents=[value.encode("utf-8", "replace")] if isinstance(value, str) else [],
        int64_contents=[value] if type(value) is int else [],
        bool_contents=[value] if isinstance(value, bool) else [],
    )
    return pb.ModelInferRequest.InferInputTensor(name=tensor["name"], shape=[1], datatype=tensor["datatype"], contents=contents)


valid_grpc_tensors = valid_tensors.map(lambda tensors: [_grpc_tensor(tensor) for tensor in tensors])
grpc_requests = st.one_of(
    st.builds(pb.ModelInferRequest, model_name=st.just("endcap"), inputs=valid_grpc_tensors),
    st.builds(
        pb.ModelInferRequest,
        model_name=st.just("endcap"),
        model_version=st.sampled_from(["", "1", "99"]),
        id=st.text(st.characters(codec="utf-8"), max_size=20),
        inputs=st.tuples(valid_grpc_tensors, st.lists(odd_grpc_tensors, max_size=2)).map(lambda drawn: [*drawn[0], *drawn[1]]),
        outputs=st.lists(
            st.sampled_from(["item_id", "score", "answer", "x"]).map(
                lambda name: pb.ModelInferRequest.InferRequestedOutputTensor(name=name)
            ),
            max_size=2,
        ),
        raw_input_contents=st.just([]) | st.lists(st.binary(max_size=30), max_size=3),
    ),
).map(lambda request: request.SerializeToString())
grpc_bytes = st.one_of(grpc_requests, grpc_requests, grpc_requests, st.binary(max_size=100))


def drawn(strategy: st.SearchStrategy[T], count: int) -> list[T]:
    """That many examples, the same ones every time; drawn first, so that they can be sent side by side."""
    examples: list[T] = []

    @settings(
        max_examples=count, phases=[Phase.generate], database=None, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(strategy)
    def collect(example: T) -> None:
        examples.append(example)

    collect()
    return examples


def with_mutants(requests: list[bytes], copies: int, seed: int = 7) -> list[bytes]:
    """Each request as it was drawn, and copies in which some bytes of the body are others, gone or there twice."""
    random = Random(seed)
    return [each for request in requests for each in (request, *(_mutant(request, random) for _ in range(copies)))]


def _mutant(request: bytes, random: Random) -> bytes:
    head, end, body = request.rpartition(b"\r\n\r\n")
    if not body:
        return request
    changed = bytearray(body)
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(changed))
        match random.randrange(3):
            case 0:
                changed[at] = random.choice(b'\x00\xff{}[]",:0-9eE.ntf\\ ')
            case 1 if len(changed) > 1:
                del changed[at : at + random.randint(1, 4)]
            case _:
                changed[at:at] = changed[at : at + random.randint(1, 40)]
        changed = changed or bytearray(b" ")
    return re.sub(rb"content-length: \d+", b"content-length: %d" % len(changed), head, count=1) + end + bytes(changed)
