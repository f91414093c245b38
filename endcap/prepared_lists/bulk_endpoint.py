"""The predict endpoint's bulk lane, asked with patience: it may be busy, or give way to another version meanwhile."""

import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import httpx
from pydantic import TypeAdapter, ValidationError
from tenacity import RetryCallState, Retrying, retry_if_exception_type

from endcap.contracts.answer import Answer
from endcap.contracts.request import BULK_LANE, LANE_HEADER
from endcap.core.errors import DependencyUnavailable
from endcap.core.predict_endpoint import EndpointAway, PredictEndpoint, predictions

AGAIN = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})
"""Making a list changes nothing, so it may be asked for again."""
WAIT_S = 1.0
WAIT_MAX_S = 30.0
ANSWERS = TypeAdapter(list[Answer])


class Busy(DependencyUnavailable):
    """The endpoint says that it cannot answer now."""

    def __init__(self, message: str, *, after_s: float, **fields: Any) -> None:
        super().__init__(message, **fields)
        self.after_s = after_s


class BulkEndpoint(PredictEndpoint):
    """Asks for lists through the bulk lane; safe to use from several threads.

    Args:
        url: the predict endpoint, for example http://127.0.0.1:8080.
        model: the model's name there.
        patience_s: how long an endpoint that does not answer is asked again.
        timeout_s: for one answer.
        sleep: waits.
    """

    def __init__(
        self, url: str, model: str, *, patience_s: float = 300.0, timeout_s: float = 120.0, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        super().__init__(url, model, timeout_s)
        self._patience_s = patience_s
        self._sleep = sleep

    def ask(self, instances: Sequence[Mapping[str, Any]], request_id: str) -> list[Answer]:
        """One answer an instance.

        Args:
            instances: as `endcap.contracts.request.Instance`.
            request_id: begins the answers' ids.

        Raises:
            DependencyUnavailable: nothing answers at the address for as long as there is patience.
            InvalidInput: the endpoint refuses the request.
        """
        waited_s = 0.0

        def is_over(_state: RetryCallState) -> bool:
            return waited_s >= self._patience_s

        def wait(state: RetryCallState) -> float:
            nonlocal waited_s
            error = state.outcome.exception() if state.outcome else None
            after_s = error.after_s if isinstance(error, Busy) else WAIT_S
            pause_s: float = min(max(after_s, WAIT_S * 2 ** (state.attempt_number - 1)), WAIT_MAX_S)
            waited_s += pause_s
            return pause_s

        retrying = Retrying(stop=is_over, wait=wait, retry=retry_if_exception_type((Busy, EndpointAway)), sleep=self._sleep, reraise=True)
        answers: list[Answer] = retrying(self._once, instances, request_id)
        return answers

    def _once(self, instances: Sequence[Mapping[str, Any]], request_id: str) -> list[Answer]:
        response = self.answer(instances, {LANE_HEADER: BULK_LANE, "x-request-id": request_id})
        if response.status_code in AGAIN:
            raise Busy("the predict endpoint is busy", after_s=_after_s(response), field=self.url, value=response.status_code)
        try:
            answers = ANSWERS.validate_python(predictions(response, self.url))
        except (KeyError, TypeError, ValidationError):
            raise DependencyUnavailable("what answers is no predict endpoint of this version", field=self.url) from None
        if len(answers) != len(instances):
            raise DependencyUnavailable(f"must answer {len(instances)} lists", field=self.url, value=len(answers))
        return answers


def _after_s(response: httpx.Response) -> float:
    named = response.headers.get("retry-after", "")
    return float(named) if named.isdecimal() else WAIT_S
