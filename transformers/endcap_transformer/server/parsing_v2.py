"""Open Inference Protocol V2: one tensor a field of the instance, each of shape [n]; answers as tensors.

| input | datatype | an entry |
| --- | --- | --- |
| `user_id`, `session_id`, `surface` | BYTES | text; empty stands for left out |
| `k` | INT32, INT64 | how many items |
| `explain` | BOOL | |
| `item_ids`, `exclude`, `filters`, `context`, `preferences`, `consent` | BYTES | the field as JSON; empty stands for left out |

| output | datatype, shape | meaning |
| --- | --- | --- |
| `item_id` | BYTES [n, k] | item ids, best first; "" where a list is shorter |
| `score` | FP32 [n, k] | NaN where a list is shorter |
| `answer` | BYTES [n] | the V1 answer as JSON |
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
from kserve import InferInput, InferOutput, InferRequest, InferResponse
from pydantic import BaseModel, ValidationError

from endcap.contracts.answer import Answer
from endcap.contracts.request import Instance
from endcap.core.errors import InvalidInput
from endcap_transformer.resilience.answer_cache import answer_json
from endcap_transformer.server.canonical_json import canonical_json, require_distinct_keys
from endcap_transformer.server.error_answers import printable
from endcap_transformer.server.validation import validated

TEXT_FIELDS = ("user_id", "session_id", "surface")
JSON_FIELDS = ("item_ids", "exclude", "filters", "context", "preferences", "consent")
OUTPUTS = ("item_id", "score", "answer")
INSTANCES_MAX = 100


def instances_of_v2(request: InferRequest) -> list[Instance]:
    """Read the tensors of a request.

    Raises:
        InvalidInput: an unknown tensor or datatype, shapes that differ, or entries that the contract refuses.
    """
    for output in request.request_outputs or []:
        if output.name not in OUTPUTS:
            raise InvalidInput(f"unknown output; there are {', '.join(OUTPUTS)}", field="outputs", value=output.name)
    if request.id and request.id != printable(request.id):
        raise InvalidInput("holds half a character", field="id", value=request.id)
    if not request.inputs:
        raise InvalidInput(f"no tensor; send at least one of {', '.join(DATATYPES)}", field="inputs")
    columns = {tensor.name: _column(tensor) for tensor in request.inputs}
    if len(columns) != len(request.inputs):
        raise InvalidInput("two tensors have the same name", field="inputs")
    lengths = {name: len(column) for name, column in columns.items()}
    rows = next(iter(lengths.values()))
    if set(lengths.values()) != {rows}:
        raise InvalidInput("the tensors differ in length", field="inputs", value=lengths)
    return validated(
        {"instances": [{name: column[row] for name, column in columns.items() if column[row] is not None} for row in range(rows)]}
    )


def v2_response(answers: list[Answer], request: InferRequest, k: int) -> InferResponse:
    """Tensors of the answers.

    Args:
        answers: n answers.
        request: what they answer; its id and wanted outputs go into the response.
        k: width of the lists.
    """
    item_id = np.full((len(answers), k), "", dtype=object)
    score = np.full((len(answers), k), np.nan, dtype=np.float32)
    for row, answer in enumerate(answers):
        item_id[row, : len(answer.recommendations)] = [item.item_id for item in answer.recommendations]
        score[row, : len(answer.recommendations)] = [item.score for item in answer.recommendations]
    documents = np.array([answer_json(answer).decode() for answer in answers], dtype=object)
    arrays = {"item_id": (item_id, "BYTES"), "score": (score, "FP32"), "answer": (documents, "BYTES")}
    wanted = [output.name for output in request.request_outputs or []] or list(OUTPUTS)
    outputs = []
    for name in wanted:
        array, datatype = arrays[name]
        output = InferOutput(name=name, shape=list(array.shape), datatype=datatype)
        output.set_data_from_numpy(array, binary_data=bool(request.use_binary_outputs))
        outputs.append(output)
    return InferResponse(
        response_id=request.id or answers[0].request_id,
        model_name=request.model_name,
        infer_outputs=outputs,
        use_binary_outputs=request.use_binary_outputs,
        requested_outputs=request.request_outputs,
    )


def _column(tensor: InferInput) -> list[Any]:
    field = f"inputs[{tensor.name}]"
    if tensor.name not in DATATYPES:
        raise InvalidInput(f"unknown tensor; allowed are {', '.join(DATATYPES)}", field=field)
    if tensor.datatype not in DATATYPES[tensor.name]:
        raise InvalidInput(f"datatype must be {' or '.join(DATATYPES[tensor.name])}", field=field, value=tensor.datatype)
    if len(tensor.shape) != 1 or not 1 <= tensor.shape[0] <= INSTANCES_MAX:
        raise InvalidInput(f"shape must be [n] with n from 1 to {INSTANCES_MAX}", field=field, value=list(tensor.shape))
    values = _values(tensor, field)
    if len(values) != tensor.shape[0]:
        raise InvalidInput(f"has {len(values)} values, its shape says {tensor.shape[0]}", field=field)
    return [_READERS[tensor.name](value, field) for value in values]


def _values(tensor: InferInput, field: str) -> list[Any]:
    if tensor._raw_data is None:
        return list(tensor.data) if isinstance(tensor.data, list) else []
    try:
        return [value.item() if isinstance(value, np.generic) else value for value in tensor.as_numpy()]
    except Exception:  # kserve's codec raises what struct and numpy raise
        raise InvalidInput("the raw content does not fit datatype and shape", field=field) from None


def _text(value: Any, field: str) -> str | None:
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            raise InvalidInput("the text is not UTF-8", field=field) from None
    if not isinstance(value, str):
        raise InvalidInput("must be text", field=field, value=value)
    return value or None


def _json(value: Any, field: str) -> Any:
    text = _text(value, field)
    if text is None:
        return None
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"must be JSON: {error}", field=field) from None
    require_distinct_keys(text.encode(), canonical_json(document))
    return document


def _as_is(value: Any, _field: str) -> Any:
    return value


DATATYPES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys((*TEXT_FIELDS, *JSON_FIELDS), ("BYTES",)),
    "k": ("INT32", "INT64"),
    "explain": ("BOOL",),
}
_READERS: dict[str, Callable[[Any, str], Any]] = {
    **dict.fromkeys(TEXT_FIELDS, _text),
    **dict.fromkeys(JSON_FIELDS, _json),
    "k": _as_is,
    "explain": _as_is,
}


LENGTH_HEADER = "inference-header-content-length"


class _Output(BaseModel):
    name: str
    parameters: dict[str, Any] | None = None


class _Tensor(_Output):
    shape: list[int]
    datatype: str


class _BinaryRequest(BaseModel):
    inputs: list[_Tensor]
    outputs: list[_Output] | None = None
    id: str | None = None
    parameters: dict[str, Any] | None = None


def require_readable(body: bytes, length: str) -> None:
    """Refuse what KServe would fail at.

    Args:
        body: JSON, then the tensors' bytes.
        length: what the request says of the JSON's length.

    Raises:
        InvalidInput: names what is wrong.
    """
    if not (length.isascii() and length.isdigit() and len(length) < 20 and int(length) <= len(body)):
        raise InvalidInput("must be the length of the JSON before the tensors' bytes", field=LENGTH_HEADER, value=length)
    head = body[: int(length)]
    try:
        _BinaryRequest.model_validate_json(head, strict=True)
        require_distinct_keys(head, canonical_json(orjson.loads(head)))
    except orjson.JSONDecodeError as error:  # what pydantic takes and orjson does not
        raise InvalidInput(f"the JSON before the tensors' bytes cannot be read: {error}", field="body") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InvalidInput(first["msg"], field=".".join(map(str, first["loc"])) or "body") from None
