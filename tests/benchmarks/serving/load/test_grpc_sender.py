import grpc.aio
from kserve import InferRequest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as messages

from endcap_benchmarks.serving.load.grpc_sender import METHOD, GrpcSender, model_infer, raw_lists
from endcap_benchmarks.serving.load.http_sender import RawAnswer
from endcap_transformer.server.parsing_v2 import instances_of_v2


def test_an_instance_survives_the_way_through_tensors() -> None:
    instance = {"user_id": "U1", "surface": "product", "item_ids": ["I1", "I2"], "k": 20}
    read = instances_of_v2(InferRequest.from_grpc(model_infer("endcap", instance)))
    assert read[0].model_dump(include=set(instance), mode="json") == instance


def test_answers_are_read_from_either_kind_of_content() -> None:
    document = b'{"recommendations": []}'
    plain, raw = messages.ModelInferResponse(), messages.ModelInferResponse()
    plain.outputs.add(name="answer", datatype="BYTES", shape=[1]).contents.bytes_contents.append(document)
    raw.outputs.add(name="answer", datatype="BYTES", shape=[1])
    raw.raw_output_contents.append(len(document).to_bytes(4, "little") + document)
    for response in (plain, raw):
        assert raw_lists(RawAnswer(200, b"", response.SerializeToString())) == [{"recommendations": []}]


async def test_a_call_that_ends_without_an_answer_has_a_status() -> None:
    sender = GrpcSender(1, "endcap")
    sender._channel = grpc.aio.insecure_channel("127.0.0.1:1")
    sender._call = sender._channel.unary_unary(METHOD)
    answer = await sender.send(b"")
    assert answer.status == 503
    await sender.close()
