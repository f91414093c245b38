"""The predict endpoint asked over HTTP, KServe V1."""

import ssl
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import httpx

from endcap.core.errors import DependencyUnavailable, EndcapError, InvalidInput


class EndpointAway(DependencyUnavailable):
    """Nothing answers at the address."""


class PredictEndpoint:
    """A connection to one endpoint; safe to use from several threads.

    Args:
        url: for example http://127.0.0.1:8080.
        model: the model's name there.
        timeout_s: for one answer.
    """

    def __init__(self, url: str, model: str, timeout_s: float) -> None:
        self.url = url
        self._address = f"{url.rstrip('/')}/v1/models/{model}:predict"
        self._client = httpx.Client(timeout=timeout_s, trust_env=False, verify=ssl.create_default_context())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.close()

    def answer(self, instances: Sequence[Mapping[str, Any]], headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Whatever it answers to instances, as `endcap.contracts.request.Instance`.

        Raises:
            EndpointAway: nothing answers at the address.
            InvalidInput: it is no address.
        """
        try:
            return self._client.post(self._address, json={"instances": list(instances)}, headers=headers)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise InvalidInput("must be an address", field="--url", value=self.url, fix="for example http://127.0.0.1:8080") from None
        except httpx.HTTPError as error:
            raise EndpointAway(f"no predict endpoint answers: {error}", field=self.url, fix="start it: `endcap serve`") from error


def predictions(response: httpx.Response, url: str) -> list[dict[str, Any]]:
    """The predictions of an answer.

    Args:
        response: the answer.
        url: of the endpoint, for errors.

    Raises:
        DependencyUnavailable: it is no predict endpoint's.
        InvalidInput: the endpoint refused the request.
        EndcapError: the endpoint failed.
    """
    try:
        document = response.json()
    except ValueError:
        raise DependencyUnavailable("what answers is no predict endpoint", field=url, value=response.status_code) from None
    if response.is_client_error:
        raise InvalidInput(str(document.get("error", document)))
    if response.status_code != HTTPStatus.OK:
        raise EndcapError(f"the predict endpoint failed with status {response.status_code}: {document.get('error', document)}")
    found: list[dict[str, Any]] = document["predictions"]
    return found
