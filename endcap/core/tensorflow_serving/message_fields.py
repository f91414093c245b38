"""The fields of TensorFlow Serving's messages that endcap writes or reads, with their published names, numbers and types.

A message on the wire is field numbers and values, so the fields in use are enough: what is not listed is passed by. Enumerations are
declared as the int32 that they travel as.
"""

from dataclasses import dataclass

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
