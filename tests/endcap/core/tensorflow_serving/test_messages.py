"""endcap's own TensorFlow Serving messages are the published ones: same fields, same bytes, in one process with the real ones."""

from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import Int64Value
from hypothesis import given
from hypothesis import strategies as st
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow.core.framework.tensor_shape_pb2 import TensorShapeProto
from tensorflow_serving.apis import model_service_pb2, prediction_service_pb2
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest, GetModelStatusResponse, ModelVersionStatus
from tensorflow_serving.apis.model_pb2 import ModelSpec
from tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse
from tensorflow_serving.apis.status_pb2 import StatusProto

from endcap.core.tensorflow_serving.messages import GET_MODEL_STATUS, MESSAGES, PREDICT, Field, serving_messages

OURS = serving_messages()
REAL: dict[str, type[Message]] = {
    "Int64Value": Int64Value,
    "Dim": TensorShapeProto.Dim,
    "TensorShapeProto": TensorShapeProto,
    "TensorProto": TensorProto,
    "ModelSpec": ModelSpec,
    "PredictRequest": PredictRequest,
    "PredictResponse": PredictResponse,
    "StatusProto": StatusProto,
    "ModelVersionStatus": ModelVersionStatus,
    "GetModelStatusRequest": GetModelStatusRequest,
    "GetModelStatusResponse": GetModelStatusResponse,
}
CLASSES = {
    "PredictRequest": OURS.predict_request,
    "PredictResponse": OURS.predict_response,
    "GetModelStatusRequest": OURS.status_request,
    "GetModelStatusResponse": OURS.status_response,
    "TensorProto": OURS.tensor,
}
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "int32": st.integers(-(2**31), 2**31 - 1),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(width=32, allow_nan=False),
    "double": st.floats(allow_nan=False),
    "bool": st.booleans(),
    "bytes": st.binary(max_size=20),
    "string": st.text(max_size=20),
}


def values_of(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Any values of any fields of one message; of a choice the one that was set last."""
    return st.fixed_dictionaries({}, optional={field.name: values(field.type) for field in MESSAGES[name]}).map(
        lambda chosen: without_other_choices(name, chosen)
    )


def values(kind: str) -> st.SearchStrategy[Any]:
    if kind.endswith("[]"):
        return st.lists(values(kind.removesuffix("[]")), max_size=3)
    if kind.endswith("{}"):
        return st.dictionaries(st.text(max_size=8), values(kind.removesuffix("{}")), max_size=3)
    return values_of(kind) if kind in MESSAGES else SCALARS[kind]


def without_other_choices(name: str, chosen: dict[str, Any]) -> dict[str, Any]:
    last = {field.one_of: field.name for field in MESSAGES[name] if field.one_of and field.name in chosen}
    return {
        field.name: chosen[field.name]
        for field in MESSAGES[name]
        if field.name in chosen and last.get(field.one_of, field.name) == field.name
    }


def filled(message: Any, name: str, wanted: dict[str, Any]) -> Any:
    for field in MESSAGES[name]:
        if field.name in wanted:
            fill_field(message, field, wanted[field.name])
    return message


def fill_field(message: Any, field: Field, value: Any) -> None:
    kind = field.type.rstrip("[]{}")
    if field.type.endswith("{}"):
        for key, one in value.items():
            filled(getattr(message, field.name)[key], kind, one)
    elif field.type.endswith("[]") and kind in MESSAGES:
        for one in value:
            filled(getattr(message, field.name).add(), kind, one)
    elif field.type.endswith("[]"):
        getattr(message, field.name).extend(value)
    elif kind in MESSAGES:
        getattr(message, field.name).SetInParent()
        filled(getattr(message, field.name), kind, value)
    else:
        setattr(message, field.name, value)


def read(message: Any, name: str) -> dict[str, Any]:
    """Every listed field as plain values; a message that was not set is None."""
    return {field.name: read_field(message, field) for field in MESSAGES[name]}


def read_field(message: Any, field: Field) -> Any:
    kind, value = field.type.rstrip("[]{}"), getattr(message, field.name)
    if field.type.endswith("{}"):
        return {key: read(one, kind) for key, one in value.items()}
    if field.type.endswith("[]"):
        return [read(one, kind) if kind in MESSAGES else one for one in value]
    if kind in MESSAGES:
        return read(value, kind) if message.HasField(field.name) else None
    return value


@pytest.mark.parametrize("name", CLASSES)
@given(data=st.data())
def test_what_we_write_the_real_messages_read_and_the_other_way_round(name: str, data: st.DataObject) -> None:
    wanted = data.draw(values_of(name))
    ours, real = filled(CLASSES[name](), name, wanted), filled(REAL[name](), name, wanted)
    assert read(REAL[name].FromString(ours.SerializeToString()), name) == read(real, name)
    assert read(CLASSES[name].FromString(real.SerializeToString()), name) == read(ours, name)
    assert read(ours, name) == read(real, name)
    assert ours.SerializeToString(deterministic=True) == real.SerializeToString(deterministic=True)


@pytest.mark.parametrize(("name", "field"), [(name, field) for name, fields in MESSAGES.items() for field in fields], ids=str)
def test_every_field_has_its_published_number_and_type(name: str, field: Field) -> None:
    published = REAL[name].DESCRIPTOR.fields_by_name[field.name]
    kind = field.type.rstrip("[]{}")
    assert published.number == field.number
    assert published.is_repeated == (kind != field.type)
    assert (published.containing_oneof.name if published.containing_oneof else "") == field.one_of
    if kind in MESSAGES:
        is_map = field.type.endswith("{}")
        held = published.message_type.fields_by_name["value"].message_type if is_map else published.message_type
        assert held is REAL[kind].DESCRIPTOR
    elif published.type == FieldDescriptor.TYPE_ENUM:
        assert kind == "int32"
    else:
        assert published.type == getattr(FieldDescriptor, f"TYPE_{kind.upper()}")


def test_fields_that_are_not_listed_are_passed_by_and_kept() -> None:
    real = PredictResponse()
    real.outputs["score"].half_val.extend([1, 2])
    real.outputs["score"].dtype = 19
    ours = OURS.predict_response.FromString(real.SerializeToString())
    assert ours.outputs["score"].dtype == 19
    assert PredictResponse.FromString(ours.SerializeToString()) == real


@pytest.mark.parametrize(
    ("method", "services", "request_name", "response_name"),
    [
        (PREDICT, prediction_service_pb2, "PredictRequest", "PredictResponse"),
        (GET_MODEL_STATUS, model_service_pb2, "GetModelStatusRequest", "GetModelStatusResponse"),
    ],
)
def test_methods_have_their_published_names_and_messages(method: str, services: Any, request_name: str, response_name: str) -> None:
    service, _, name = method.removeprefix("/").rpartition("/")
    published = services.DESCRIPTOR.services_by_name[service.removeprefix("tensorflow.serving.")].methods_by_name[name]
    assert published.containing_service.full_name == service
    assert published.input_type is REAL[request_name].DESCRIPTOR
    assert published.output_type is REAL[response_name].DESCRIPTOR


def test_each_call_makes_messages_of_its_own_pool_apart_from_the_real_ones() -> None:
    again = serving_messages()
    assert again.tensor.DESCRIPTOR.file.pool is not OURS.tensor.DESCRIPTOR.file.pool
    assert OURS.tensor.DESCRIPTOR.file.pool is not TensorProto.DESCRIPTOR.file.pool
