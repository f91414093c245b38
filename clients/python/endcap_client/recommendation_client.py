"""Recommendations from the predict endpoint. Nothing is tried again: a page does not wait for a second answer."""

import asyncio
import json
from types import TracebackType
from typing import Self, Unpack

import httpx

from endcap_client.errors import RecommendationRefused, RecommendationUnavailable
from endcap_client.exchange import require_address
from endcap_client.recommended_list import ListRequest, RecommendedList

_BUSY = 429


class RecommendationClient:
    """Asks within a `with` block.

    Args:
        address: of the predict endpoint, for example http://127.0.0.1:8080.
        timeout_s: longest wait for a connection, and for each part of the answer.
        model: its name in KServe.
        http: a client of the caller's, which stays open; None for one of its own.

    Raises:
        InvalidSetting: the address is none.
    """

    def __init__(self, address: str, *, timeout_s: float = 0.5, model: str = "endcap", http: httpx.Client | None = None) -> None:
        self._address = _predict_address(address, model)
        self._timeout_s = timeout_s
        self._http, self._is_own = http or httpx.Client(), http is None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._is_own:
            self._http.close()

    def recommend(self, **request: Unpack[ListRequest]) -> RecommendedList:
        """One list.

        Raises:
            RecommendationRefused: a field is none that the endpoint takes.
            RecommendationUnavailable: no list came in time.
        """
        try:
            answer = self._http.post(self._address, json=_body(request), timeout=self._timeout_s)
        except httpx.RequestError as error:
            raise _unavailable(self._address, error) from error
        return _list_of(answer, self._address)


class AsyncRecommendationClient:
    """The same within an `async with` block; `timeout_s` is for the whole answer."""

    def __init__(self, address: str, *, timeout_s: float = 0.5, model: str = "endcap", http: httpx.AsyncClient | None = None) -> None:
        self._address = _predict_address(address, model)
        self._timeout_s = timeout_s
        self._http, self._is_own = http or httpx.AsyncClient(), http is None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._is_own:
            await self._http.aclose()

    async def recommend(self, **request: Unpack[ListRequest]) -> RecommendedList:
        """One list; raises what `RecommendationClient.recommend` raises."""
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._http.post(self._address, json=_body(request), timeout=self._timeout_s)
        except (httpx.RequestError, TimeoutError) as error:
            raise _unavailable(self._address, error) from error
        return _list_of(answer, self._address)


def _predict_address(address: str, model: str) -> str:
    return f"{require_address(address, 'address').rstrip('/')}/v1/models/{model}:predict"


def _body(request: ListRequest) -> dict[str, list[dict[str, object]]]:
    return {"instances": [{name: value for name, value in request.items() if value is not None}]}


def _list_of(answer: httpx.Response, address: str) -> RecommendedList:
    try:
        document = answer.json()
        if answer.status_code == httpx.codes.OK:
            return RecommendedList.of(document["predictions"][0])
        reason = str(document["error"])
    except (json.JSONDecodeError, KeyError, IndexError, TypeError) as error:
        fix = "name the address of the predict endpoint"
        raise RecommendationUnavailable("what answers is no predict endpoint", field="address", value=address, fix=fix) from error
    if answer.is_client_error and answer.status_code != _BUSY:
        raise RecommendationRefused(reason, field="recommend")
    raise RecommendationUnavailable(reason, field="address", value=address, fix="show another list, and ask again with the next page")


def _unavailable(address: str, error: Exception) -> RecommendationUnavailable:
    said = str(error) or type(error).__name__
    return RecommendationUnavailable(
        f"no answer ({said})", field="address", value=address, fix="show another list, or allow more timeout_s"
    )
