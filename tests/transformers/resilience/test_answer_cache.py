"""Whole answers by the bytes of their request, through the same edge as in the server."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kserve import InferInput, InferRequest
from kserve.model_repository import ModelRepository
from kserve.protocol.dataplane import DataPlane

from endcap.contracts.answer import Answer, Recommendation
from endcap.contracts.request import Instance
from endcap.core.errors import DependencyUnavailable
from endcap.core.settings import ResilienceSettings
from endcap_transformer.resilience.admission import Admission
from endcap_transformer.resilience.answer_cache import SharedAnswers
from endcap_transformer.resilience.concurrency_limit import ConcurrencyLimit
from endcap_transformer.server.error_answers import ErrorAnswers
from endcap_transformer.server.predict_v1 import PredictV1
from tests.properties import examples
from tests.transformers.canned import CannedModel
from tests.transformers.virtual_time import run_virtual, virtual_loop

ANYBODY = b'{"instances":[{"surface":"home","k":3}]}'


class NoLag:
    def persists(self, now: float) -> bool:
        return False


class Reply:
    def __init__(self, start: dict[str, Any], body: bytes) -> None:
        self.status: int = start["status"]
        self.headers = {name.decode(): value.decode() for name, value in start["headers"]}
        self.content = body
        self.document = json.loads(body)

    @property
    def answer(self) -> dict[str, Any]:
        return self.document["predictions"][0]


class Edge(CannedModel):
    """What stands in front of KServe's application, in virtual time."""

    def __init__(self, takes_s: float = 0.01, in_flight_max: int = 64, **cache: Any) -> None:
        super().__init__(takes_s, virtual_loop().time, **cache)
        self.passed_on: list[str] = []
        limits = ResilienceSettings(in_flight_max=in_flight_max)
        self.admission = Admission(limits, 50, self.metrics, NoLag(), ConcurrencyLimit(limits.in_flight_max), virtual_loop().time)
        self.app = PredictV1(self._kserve, self.model, self.admission, ErrorAnswers(self.metrics), DataPlane(ModelRepository()))

    async def _kserve(self, scope, receive, send) -> None:
        self.passed_on.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    async def post(self, body: bytes, path: str = "/v1/models/endcap:predict", method: str = "POST", **headers: str) -> Reply:
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        await self.app({"type": "http", "method": method, "path": path, "headers": named, "state": {}}, receive, send)
        return Reply(sent[0], b"".join(message["body"] for message in sent[1:]))


def test_the_second_request_gets_the_same_list_with_its_own_id_and_its_own_time() -> None:
    async def main() -> None:
        edge = Edge()
        first, second = await edge.post(ANYBODY, x_request_id="one"), await edge.post(ANYBODY, x_request_id='"two"')
        assert (first.headers["x-endcap-cache"], second.headers["x-endcap-cache"]) == ("miss", "hit")
        assert first.answer["recommendations"] == second.answer["recommendations"]
        assert (first.answer["request_id"], second.answer["request_id"]) == ("one", '"two"')
        assert set(second.answer["timings_ms"]) == {"cache", "total"}
        assert len(edge.path.asked) == 1
        assert edge.hits == [("one", '"two"')]
        assert int(second.headers["content-length"]) == len(second.content)

    run_virtual(main())


def test_ids_are_fresh_when_the_caller_names_none() -> None:
    async def main() -> None:
        edge = Edge()
        ids = [(await edge.post(ANYBODY)).answer["request_id"] for _ in range(3)]
        assert len(set(ids)) == 3
        assert [given for _, given in edge.hits] == ids[1:]

    run_virtual(main())


@pytest.mark.parametrize("named", ['{"user_id":"U1"}', '{"session_id":"S1"}', '{},{"user_id":"U1"}'])
def test_what_names_somebody_is_computed_each_time(named: str) -> None:
    async def main() -> None:
        edge = Edge()
        body = b'{"instances":[%s]}' % named.encode()
        replies = [await edge.post(body), *await asyncio.gather(edge.post(body), edge.post(body))]
        assert {reply.headers["x-endcap-cache"] for reply in replies} == {"miss"}
        assert len(edge.path.asked) == 3 * len(replies[0].document["predictions"])
        assert edge.hits == []

    run_virtual(main())


def test_several_lists_keep_their_numbered_ids() -> None:
    async def main() -> None:
        edge = Edge()
        body = b'{"instances":[{"k":1},{"k":2}]}'
        await edge.post(body, x_request_id="a")
        kept = await edge.post(body, x_request_id="b")
        assert [answer["request_id"] for answer in kept.document["predictions"]] == ["b-1", "b-2"]
        assert [len(answer["recommendations"]) for answer in kept.document["predictions"]] == [1, 2]

    run_virtual(main())


def test_an_expired_hot_key_causes_one_computation() -> None:
    async def main() -> None:
        edge = Edge(answer_seconds=5, in_flight_max=2)
        await edge.post(ANYBODY)
        await asyncio.sleep(5)
        replies = await asyncio.gather(*(edge.post(ANYBODY, x_request_id=str(number)) for number in range(100)))
        assert {reply.status for reply in replies} == {200}
        assert [reply.answer["request_id"] for reply in replies] == [str(number) for number in range(100)]
        assert [reply.headers["x-endcap-cache"] for reply in replies] == ["miss"] + ["hit"] * 99
        assert len(edge.path.asked) == 2
        assert len(edge.hits) == 99
        assert edge.looked_up("miss") == 101

    run_virtual(main())


def test_an_answer_with_a_stage_that_fell_back_is_shared_and_not_kept() -> None:
    async def main() -> None:
        edge = Edge()
        edge.path.degraded = ["rank"]
        replies = await asyncio.gather(edge.post(ANYBODY), edge.post(ANYBODY))
        assert [reply.answer["degraded"] for reply in replies] == [["rank"], ["rank"]]
        edge.path.degraded = []
        assert (await edge.post(ANYBODY)).headers["x-endcap-cache"] == "miss"
        assert len(edge.path.asked) == 2

    run_virtual(main())


def test_another_bundle_makes_other_keys() -> None:
    async def main() -> None:
        edge = Edge()
        await edge.post(ANYBODY)
        edge.holder.current = type(edge.holder)(name="endcap-2")
        reply = await edge.post(ANYBODY)
        assert reply.headers["x-endcap-cache"] == "miss"
        assert reply.answer["bundle"] == "endcap-2"

    run_virtual(main())


def test_long_requests_and_long_answers_are_not_kept() -> None:
    async def main() -> None:
        edge = Edge()
        for body in (b'{"instances":[{"exclude":["%s"]}]}' % b'","'.join([b"I1"] * 900), b'{"instances":[{"k":500}]}'):
            assert [(await edge.post(body)).headers["x-endcap-cache"] for _ in range(2)] == ["miss", "miss"]

    run_virtual(main())


def test_switched_off_it_keeps_nothing() -> None:
    async def main() -> None:
        edge = Edge(answer_seconds=0)
        assert [(await edge.post(ANYBODY)).headers["x-endcap-cache"] for _ in range(2)] == ["miss", "miss"]

    run_virtual(main())


def test_errors_go_to_all_who_wait_and_are_not_kept() -> None:
    async def main() -> None:
        edge = Edge()
        edge.path.fails = DependencyUnavailable("nothing answers")
        replies = await asyncio.gather(edge.post(ANYBODY), edge.post(ANYBODY))
        assert [(reply.status, reply.document) for reply in replies] == [(503, {"error": "nothing answers"})] * 2
        edge.path.fails = None
        assert (await edge.post(ANYBODY)).status == 200

    run_virtual(main())


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"instances":[]}', b'{"instances":[{"k":0}]}', b"\xff", b'{"instances":[{"k":1}],"x":1}']
)
def test_bad_requests_are_refused_in_one_line(body: bytes) -> None:
    async def main() -> None:
        edge = Edge()
        reply = await edge.post(body)
        assert reply.status == 400
        assert set(reply.document) == {"error"}
        assert edge.path.asked == []

    run_virtual(main())


def test_without_a_bundle_it_is_not_ready() -> None:
    async def main() -> None:
        edge = Edge()
        edge.holder.current = None
        assert (await edge.post(ANYBODY)).status == 503

    run_virtual(main())


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/v1/models/other:predict", {}),
        ("/v1/models/endcap", {"method": "GET"}),
        ("/v2/models/endcap/infer", {}),
    ],
)
def test_everything_else_goes_on_to_kserve(path: str, fields: dict[str, str]) -> None:
    async def main() -> None:
        edge = Edge()
        await edge.post(ANYBODY, path=path, **fields)
        assert edge.passed_on == [path]

    run_virtual(main())


def infer_request(**values: list[str]) -> InferRequest:
    inputs = [InferInput(name=name, shape=[len(value)], datatype="BYTES", data=value) for name, value in values.items()]
    return InferRequest(model_name="endcap", infer_inputs=inputs)


def test_v2_shares_and_keeps_answers_too() -> None:
    async def main() -> None:
        edge = CannedModel(0.01, virtual_loop().time)
        request = infer_request(surface=["home"])
        first, *others = await asyncio.gather(*(edge.model.predict(request, {"x-request-id": str(n)}) for n in range(3)))
        last = await edge.model.predict(request, {"x-request-id": "last"})
        assert [response.id for response in (first, *others, last)] == ["0", "1", "2", "last"]
        assert len(edge.path.asked) == 1
        assert {str(response.outputs[0].data) for response in (first, *others, last)} == {str(first.outputs[0].data)}
        await edge.model.predict(infer_request(user_id=["U1"]))
        await edge.model.predict(infer_request(user_id=["U1"]))
        assert len(edge.path.asked) == 3

    run_virtual(main())


def test_requests_that_differ_in_consent_share_no_answer() -> None:
    """Their impressions differ, and `on_hit` logs those of the first who asked."""

    async def main() -> None:
        edge = Edge()
        bodies = [b'{"instances":[{"k":3%s}]}' % consent for consent in (b"", b',"consent":{"analytics":false}', b',"consent":{}')]
        replies = [await edge.post(body) for body in bodies]
        assert [reply.headers["x-endcap-cache"] for reply in replies] == ["miss"] * 3
        canned = CannedModel(0.01, virtual_loop().time)
        for stated in ("", '{"analytics": false}', '{"analytics": true}'):
            await canned.model.predict(infer_request(surface=["home"], consent=[stated]))
        assert len(canned.path.asked) == 3
        assert canned.hits == []

    run_virtual(main())


texts = st.text(st.sampled_from('aÄ€😀 "\\{}:\n\t'), max_size=8)
some_answers = st.lists(
    st.builds(
        Answer,
        recommendations=st.lists(
            st.builds(
                Recommendation,
                item_id=texts,
                score=st.floats(allow_nan=False, allow_infinity=False, width=32),
                source=st.sampled_from(["popular", "two_tower"]),
                reason=texts,
                position=st.integers(1, 500),
                title=texts,
                propensity=st.floats(0.01, 1),
                explanation=st.none() | st.fixed_dictionaries({"request_id": st.just('"request_id"'), "value": st.floats(0, 1)}),
            ),
            max_size=4,
        ),
        request_id=texts,
        bundle=texts,
        variant=st.just("default"),
        degraded=st.just([]),
        ignored=st.lists(texts, max_size=2),
        timings_ms=st.just({"total": 3.0}),
    ),
    min_size=1,
    max_size=3,
)


@examples(50)
@given(answers=some_answers, request_id=texts.filter(bool), took_ms=st.floats(0, 1000))
def test_the_cut_and_filled_body_is_what_serialising_gives(answers: list[Answer], request_id: str, took_ms: float) -> None:
    shared = SharedAnswers([Instance()] * len(answers), answers)
    objects = shared.given_to(request_id, took_ms)
    documents = [each.model_dump(mode="json", exclude_none=True) for each in objects]
    assert json.loads(shared.body(request_id, took_ms)) == {"predictions": documents}
