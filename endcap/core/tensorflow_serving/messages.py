"""TensorFlow Serving's messages as classes, made from endcap's own list of their fields.

So neither tensorflow nor tensorflow-serving-api is needed, which are 2 GB for a few messages. The classes live in a descriptor pool of
their own: protobuf's default pool refuses a second definition of a message, and the model server's process holds the real ones there.
"""

from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

PREDICT = "/tensorflow.serving.PredictionService/Predict"
GET_MODEL_STATUS = "/tensorflow.serving.ModelService/GetModelStatus"


@dataclass(frozen=True)
class Field:
    """One field: of a scalar type of proto3 or of a message below; `[]` after the type repeats it, `{}` maps strings to it.

    `one_of` names the choice that the field belongs to.
    """

    name: str
    number: int
    type: str
    one_of: str = ""


MESSAGES: dict[str, tuple[Field, ...]] = {
    "Int64Value": (Field("value", 1, "int64"),),
    "Dim": (Field("size", 1, "int64"),),
    "TensorShapeProto": (Field("dim", 2, "Dim[]"), Field("unknown_rank", 3, "bool")),
    "TensorProto": (
        Field("dtype", 1, "int32"),
        Field("tensor_shape", 2, "TensorShapeProto"),
        Field("tensor_content", 4, "bytes"),
        Field("float_val", 5, "float[]"),
        Field("double_val", 6, "double[]"),
        Field("int_val", 7, "int32[]"),
        Field("string_val", 8, "bytes[]"),
        Field("int64_val", 10, "int64[]"),
        Field("bool_val", 11, "bool[]"),
    ),
    "ModelSpec": (
        Field("name", 1, "string"),
        Field("version", 2, "Int64Value", one_of="version_choice"),
        Field("signature_name", 3, "string"),
        Field("version_label", 4, "string", one_of="version_choice"),
    ),
    "PredictRequest": (
        Field("model_spec", 1, "ModelSpec"),
        Field("inputs", 2, "TensorProto{}"),
        Field("output_filter", 3, "string[]"),
    ),
    "PredictResponse": (Field("outputs", 1, "TensorProto{}"), Field("model_spec", 2, "ModelSpec")),
    "StatusProto": (Field("error_code", 1, "int32"), Field("error_message", 2, "string")),
    "ModelVersionStatus": (Field("version", 1, "int64"), Field("state", 2, "int32"), Field("status", 3, "StatusProto")),
    "GetModelStatusRequest": (Field("model_spec", 1, "ModelSpec"),),
    "GetModelStatusResponse": (Field("model_version_status", 1, "ModelVersionStatus[]"),),
}


PACKAGE = "tensorflow.serving"


@dataclass(frozen=True)
class ServingMessages:
    """The message classes that a client of TensorFlow Serving speaks with."""

    predict_request: Any
    predict_response: Any
    status_request: Any
    status_response: Any
    tensor: Any


def serving_messages() -> ServingMessages:
    """The message classes, in a new pool."""
    pool = DescriptorPool()
    pool.AddSerializedFile(_definitions().SerializeToString())

    def message(name: str) -> Any:
        return GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))

    return ServingMessages(
        predict_request=message("PredictRequest"),
        predict_response=message("PredictResponse"),
        status_request=message("GetModelStatusRequest"),
        status_response=message("GetModelStatusResponse"),
        tensor=message("TensorProto"),
    )


def _definitions() -> FileDescriptorProto:
    file = FileDescriptorProto(name="endcap/tensorflow_serving.proto", package=PACKAGE, syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for choice in dict.fromkeys(field.one_of for field in fields if field.one_of):
            message.oneof_decl.add(name=choice)
        for field in fields:
            _add_field(message, field)
    return file


def _add_field(message: DescriptorProto, field: Field) -> None:
    if field.type.endswith("{}"):
        field = Field(field.name, field.number, f"{message.name}.{_add_map_entry(message, field)}[]")
    one = field.type.removesuffix("[]")
    added = message.field.add(name=field.name, number=field.number)
    added.label = FieldDescriptorProto.LABEL_OPTIONAL if one == field.type else FieldDescriptorProto.LABEL_REPEATED
    if one[0].isupper():
        added.type, added.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".{PACKAGE}.{one}"
    else:
        added.type = FieldDescriptorProto.Type.Value(f"TYPE_{one.upper()}")
    if field.one_of:
        added.oneof_index = [choice.name for choice in message.oneof_decl].index(field.one_of)


def _add_map_entry(message: DescriptorProto, field: Field) -> str:
    entry = message.nested_type.add(name=f"{field.name.capitalize()}Entry")
    entry.options.map_entry = True
    _add_field(entry, Field("key", 1, "string"))
    _add_field(entry, Field("value", 2, field.type.removesuffix("{}")))
    return entry.name
