"""The KServe model: answers to instances of either protocol, and the V2 requests of KServe's application."""

import asyncio
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import kserve
from kserve import InferRequest, InferResponse
from kserve.errors import ModelNotReady

from endcap.contracts.answer import Answer
from endcap.contracts.request import BULK_LANE, LANE_HEADER, Instance
from endcap.core.errors import InvalidInput
from endcap.core.log import label_lines
from endcap.core.person_ids import AS_GIVEN, PersonIds
from endcap_transformer.bulk.lane import BulkLane
from endcap_transformer.live.bundle_watch import BundleHolder
from endcap_transformer.live.served_bundle import ServedBundle
from endcap_transformer.path.request_path import ListPurpose, RequestPath
from endcap_transformer.path.surface_plan import SurfacePlan
from endcap_transformer.resilience.admission import from_memory, leave_place
from endcap_transformer.resilience.answer_cache import AnswerCache, Key, SharedAnswers, are_anonymous, request_ids
from endcap_transformer.server.parsing_v2 import DATATYPES, OUTPUTS, instances_of_v2, v2_response
from endcap_transformer.server.validation import private_values
from endcap_transformer.telemetry.tracing import Tracing, current_trace

LISTS_AT_ONCE = 4
REQUEST_ID_MAX = 128


class RecommendationModel(kserve.Model):  # type: ignore[misc]
    """Answers predict calls with the bundle that is served when they come in.

    Args:
        name: the model's name on the endpoint.
        path: the request path.
        holder: knows the served bundle.
        cache: answers to anonymous requests.
        tracing: starts the traces of requests; None for no traces.
        ids: how ids of people and visits are kept: by these features are looked up and lists logged.
        bulk: makes the lists of large requests; None to make them as those of small ones.
    """

    def __init__(  # noqa: PLR0917 - what an answer is made with
        self,
        name: str,
        path: RequestPath,
        holder: BundleHolder,
        cache: AnswerCache,
        tracing: Tracing | None = None,
        ids: PersonIds = AS_GIVEN,
        bulk: BulkLane | None = None,
    ) -> None:
        super().__init__(name)
        self._ids = ids
        self._path = path
        self._holder = holder
        self._bulk = bulk
        self.cache = cache
        self.tracing = tracing or Tracing(None)
        self.ready = holder.current is not None

    def load(self) -> bool:
        """KServe calls this for a model that is not ready; bundles come from the holder alone."""
        return self.ready

    async def predict(
        self,
        payload: InferRequest,
        headers: Mapping[str, str] | None = None,
        response_headers: Any = None,  # noqa: ARG002
    ) -> InferResponse:
        """Answer one V2 request of KServe's application, over either transport.

        Raises:
            InvalidInput: the request is not what the contract wants.
        """
        start = time.perf_counter()
        request_id = request_id_of((headers or {}).get("x-request-id"), payload.id)
        with self.tracing.request(headers, request_id) as traced:
            label_lines(request_id, traced.trace_id)
            instances = instances_of_v2(payload)
            label_lines(request_id, traced.trace_id, lambda: private_values(instances))
            answers = await self._shared_or_own(instances, request_id, start, lane_of((headers or {}).get(LANE_HEADER)))
        return v2_response(answers, payload, self._width(instances))

    async def _shared_or_own(self, instances: Sequence[Instance], request_id: str, start: float, lane: str | None) -> list[Answer]:
        may_share = lane is None and are_anonymous(instances)
        key = self.cache.key(b"\n".join(_bytes(instance) for instance in instances)) if may_share else None
        shared = self.cache.fresh(key, request_id)
        cached = shared is not None
        if shared is None:
            shared, cached = await self.answers(key, instances, request_id, _since_ms(start), lane)
        return shared.given_to(request_id, _since_ms(start)) if cached else list(shared.answers)

    async def answers(
        self, key: Key | None, instances: Sequence[Instance], request_id: str, before_ms: float, lane: str | None = None
    ) -> tuple[SharedAnswers, bool]:
        """Answers to instances of either protocol, and whether another request, under way already, computed them.

        Args:
            key: the request's key where its answers may be shared and `cache.fresh` has none, else None.
            instances: valid ones.
            request_id: for the answers computed here.
            before_ms: what passed since the request came.
            lane: that the request asks for.

        Raises:
            InvalidInput: a surface is unknown or lacks its items.
            ModelNotReady: no bundle is served.
            Overloaded: the bulk lane has no room for it.
        """
        plans = self._path.plans(instances)
        if self._bulk is not None and self._bulk.takes(len(instances), lane):
            return await self._in_bulk(self._bulk, instances, request_id, before_ms, lane), False
        if key is None:
            return await self._computed(self._with_kept_ids(instances), plans, request_id, before_ms), False
        return await self.cache.shared(key, request_id, lambda: self._computed(instances, plans, request_id, before_ms))

    async def _computed(
        self, instances: Sequence[Instance], plans: Sequence[SurfacePlan], request_id: str, before_ms: float
    ) -> SharedAnswers:
        served, is_page = self._served(), len(instances) > 1
        purpose = ListPurpose.SPARE if from_memory(len(instances)) else ListPurpose.PAGE if is_page else ListPurpose.SHOPPER
        if not is_page:
            return SharedAnswers(instances, [await self._path.recommend(instances[0], plans[0], served, request_id, before_ms, purpose)])
        turn = asyncio.Semaphore(LISTS_AT_ONCE)

        async def in_turn(instance: Instance, plan: SurfacePlan, own_id: str) -> Answer:
            async with turn:
                with current_trace().stage("list"):
                    return await self._path.recommend(instance, plan, served, own_id, before_ms, purpose)

        ids = request_ids(request_id, len(instances))
        return SharedAnswers(instances, await asyncio.gather(*map(in_turn, instances, plans, ids)))

    async def _in_bulk(
        self, bulk: BulkLane, instances: Sequence[Instance], request_id: str, before_ms: float, lane: str | None
    ) -> SharedAnswers:
        served = self._served()
        leave_place()
        ids = request_ids(request_id, len(instances))
        purpose = ListPurpose.BULK if lane is None else ListPurpose.PREPARED
        return SharedAnswers(instances, await bulk.answers(self._with_kept_ids(instances), served, ids, before_ms, purpose))

    def _served(self) -> ServedBundle:
        if self._holder.current is None:
            raise ModelNotReady(self.name)
        return self._holder.current

    def _with_kept_ids(self, instances: Sequence[Instance]) -> Sequence[Instance]:
        return instances if self._ids.key is None else [_kept(instance, self._ids) for instance in instances]

    def _width(self, instances: Sequence[Instance]) -> int:
        return max(self._path.wanted(instance) for instance in instances)

    def get_input_types(self) -> list[dict[str, Any]]:
        return [{"name": name, "datatype": datatypes[-1], "shape": [-1]} for name, datatypes in DATATYPES.items()]

    def get_output_types(self) -> list[dict[str, Any]]:
        shapes = {"item_id": ("BYTES", [-1, -1]), "score": ("FP32", [-1, -1]), "answer": ("BYTES", [-1])}
        return [{"name": name, "datatype": shapes[name][0], "shape": shapes[name][1]} for name in OUTPUTS]


def request_id_of(*named: str | None) -> str:
    """The caller's id when it is a plain one, else a fresh UUID."""
    for candidate in named:
        if candidate and len(candidate) <= REQUEST_ID_MAX and candidate.isprintable():
            return candidate
    return str(uuid.uuid4())


def lane_of(named: str | None) -> str | None:
    """The lane that a request asks for.

    Raises:
        InvalidInput: there is no such lane.
    """
    if named is not None and named != BULK_LANE:
        raise InvalidInput(f"must be {BULK_LANE}, or left out", field=LANE_HEADER, value=named)
    return named


def _kept(instance: Instance, ids: PersonIds) -> Instance:
    given = {"user_id": instance.user_id, "session_id": instance.session_id}
    return instance.model_copy(update={name: ids.kept(value) for name, value in given.items() if value is not None})


def _bytes(instance: Instance) -> bytes:
    """The same for equal requests, with what was left out left out: a given `k` of 10 is not a default one."""
    return instance.__pydantic_serializer__.to_json(instance, exclude_unset=True)


def _since_ms(start: float) -> float:
    return (time.perf_counter() - start) * 1000
