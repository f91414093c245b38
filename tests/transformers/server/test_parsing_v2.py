"""The JSON before binary tensors is read whole, or refused by the name of what is wrong."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.core.errors import InvalidInput
from endcap_transformer.server.parsing_v2 import LENGTH_HEADER, require_readable

TENSOR = {"name": "user_id", "shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": 6}}
TAIL = b"\x02\x00\x00\x00U1"


def written(document: Any) -> tuple[bytes, str]:
    """A body, and the length that its header gives."""
    head = json.dumps(document).encode()
    return head + TAIL, str(len(head))


def test_a_document_of_the_protocol_is_readable() -> None:
    outputs = [{"name": "answer", "parameters": {"binary_data": True}}]
    for more in ({}, {"outputs": outputs}, {"id": "r1", "parameters": {"binary_data_output": True}}, {"id": None, "surprise": 1}):
        assert require_readable(*written({"inputs": [TENSOR], **more})) is None


@pytest.mark.parametrize("length", ["", "x", "-1", "1e3", " 2", "²", "9" * 400, "1000"])
def test_a_length_that_is_none_is_refused(length: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        require_readable(b"{}" + TAIL, length)
    assert refused.value.field == LENGTH_HEADER


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ([], "body"),
        ({}, "inputs"),
        ({"inputs": None}, "inputs"),
        ({"inputs": [5]}, "inputs.0"),
        ({"inputs": [TENSOR, {"name": "k"}]}, "inputs.1.shape"),
        ({"inputs": [TENSOR | {"name": 5}]}, "inputs.0.name"),
        ({"inputs": [TENSOR | {"shape": "1"}]}, "inputs.0.shape"),
        ({"inputs": [TENSOR | {"shape": [1.0]}]}, "inputs.0.shape.0"),
        ({"inputs": [TENSOR | {"datatype": None}]}, "inputs.0.datatype"),
        ({"inputs": [TENSOR | {"parameters": [6]}]}, "inputs.0.parameters"),
        ({"inputs": [TENSOR], "outputs": ["answer"]}, "outputs.0"),
        ({"inputs": [TENSOR], "id": 5}, "id"),
        ({"inputs": [TENSOR], "parameters": "fast"}, "parameters"),
        ({"inputs": [TENSOR], "id": "\ud800"}, "body"),
    ],
)
def test_what_has_another_type_is_named(document: Any, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        require_readable(*written(document))
    assert refused.value.field == field


@given(body=st.binary(max_size=60), length=st.integers(0, 60).map(str) | st.text(max_size=4))
def test_bytes_that_are_no_json_are_refused(body: bytes, length: str) -> None:
    with pytest.raises(InvalidInput):
        require_readable(body, length)
