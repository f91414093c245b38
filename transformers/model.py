"""The KServe model: a request of either protocol in, its answers out."""

import asyncio
import time
import uuid
from collections.abc import Mapping
from typing import Any

import kserve
from kserve.errors import ModelNotReady

from endcap.contracts.answer import Answer
from endcap.contracts.request import Instance
from transformers.bundle_watch import BundleHolder
from transformers.parsing_v1 import instances_of_v1, v1_response
from transformers.parsing_v2 import DATATYPES, OUTPUTS, instances_of_v2, v2_response
from transformers.request_path import RequestPath

LISTS_AT_ONCE = 4
REQUEST_ID_MAX = 128


class RecommendationModel(kserve.Model):
    """Answers predict calls with the bundle that is served when they come in.

    Args:
        name: the model's name on the endpoint.
        path: the request path.
        holder: knows the served bundle.
    """

    def __init__(self, name: str, path: RequestPath, holder: BundleHolder) -> None:
        super().__init__(name)
        self._path = path
        self._holder = holder
        self.ready = holder.current is not None

    def load(self) -> bool:
        """KServe calls this for a model that is not ready; bundles come from the holder alone."""
        return self.ready

    async def predict(self, payload: Any, headers: Mapping[str, str] | None = None, response_headers: Any = None) -> Any:  # noqa: ARG002
        """Answer one request.

        Raises:
            InvalidInput: the request is not what the contract asks for.
        """
        start = time.perf_counter()
        is_v2 = isinstance(payload, kserve.InferRequest)
        instances = instances_of_v2(payload) if is_v2 else instances_of_v1(payload)
        request_id = _request_id(headers, payload.id if is_v2 else None)
        parsed_ms = (time.perf_counter() - start) * 1000
        answers = await self._answers(instances, request_id, parsed_ms)
        return v2_response(answers, payload, self._width(instances)) if is_v2 else v1_response(answers)

    async def _answers(self, instances: list[Instance], request_id: str, parsed_ms: float) -> list[Answer]:
        served = self._holder.current
        if served is None:
            raise ModelNotReady(self.name)
        if len(instances) == 1:
            return [await self._path.recommend(instances[0], served, request_id, parsed_ms)]
        turn = asyncio.Semaphore(LISTS_AT_ONCE)

        async def in_turn(number: int, instance: Instance) -> Answer:
            async with turn:
                return await self._path.recommend(instance, served, f"{request_id}-{number}", parsed_ms)

        return await asyncio.gather(*(in_turn(number, instance) for number, instance in enumerate(instances, start=1)))

    def _width(self, instances: list[Instance]) -> int:
        return max(self._path.wanted(instance) for instance in instances)

    def get_input_types(self) -> list[dict[str, Any]]:
        return [{"name": name, "datatype": datatypes[-1], "shape": [-1]} for name, datatypes in DATATYPES.items()]

    def get_output_types(self) -> list[dict[str, Any]]:
        shapes = {"item_id": ("BYTES", [-1, -1]), "score": ("FP32", [-1, -1]), "answer": ("BYTES", [-1])}
        return [{"name": name, "datatype": shapes[name][0], "shape": shapes[name][1]} for name in OUTPUTS]


def _request_id(headers: Mapping[str, str] | None, own: str | None) -> str:
    """The caller's id when it is a plain one, else a fresh UUID."""
    for candidate in ((headers or {}).get("x-request-id"), own):
        if candidate and len(candidate) <= REQUEST_ID_MAX and candidate.isprintable():
            return candidate
    return str(uuid.uuid4())
