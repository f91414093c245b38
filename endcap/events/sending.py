"""Events and items sent to a collector: in batches, again while it asks for patience."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import httpx

from endcap.core.errors import DependencyUnavailable, InvalidInput

BATCH_EVENTS = 500
_TRIES = 8
_PATIENCE_S = 30.0
_LATER = (429, 503)
_LOOK_S = 2.0


@dataclass
class Sent:
    """What became of the events so far.

    Attributes:
        refused: each as the collector says it, with `index` the place in the file, from 0.
    """

    accepted: int = 0
    duplicates: int = 0
    refused: list[Mapping[str, Any]] = field(default_factory=list)


def send_events(texts: Iterable[str], client: httpx.Client, key: str | None, sleep: Callable[[float], None]) -> Sent:
    """Send events, an event a line.

    Args:
        texts: a JSON object each, on one line.
        client: with the collector's address as its base.
        key: None where the collector needs none.
        sleep: waits for so many seconds.

    Raises:
        InvalidInput: the collector refuses the key, or a batch as a whole.
        DependencyUnavailable: it does not answer, or asks for patience again and again.
    """
    return _sent("POST", "/v1/events", texts, client, key, sleep)


def send_items(texts: Iterable[str], client: httpx.Client, key: str | None, sleep: Callable[[float], None]) -> Sent:
    """Send items or item updates, one a line; as `send_events`, without duplicates."""
    return _sent("PUT", "/v1/items", texts, client, key, sleep)


def is_collector(client: httpx.Client) -> bool:
    """Whether a collector answers at the client's address."""
    try:
        answer = client.get("/healthz", timeout=_LOOK_S)
        return answer.status_code == 200 and answer.json() == {"live": True}
    except (httpx.HTTPError, ValueError):
        return False


def _sent(  # noqa: PLR0917 - what goes where
    method: str, path: str, texts: Iterable[str], client: httpx.Client, key: str | None, sleep: Callable[[float], None]
) -> Sent:
    headers = {"content-type": "application/x-ndjson", **({"authorization": f"Bearer {key}"} if key else {})}
    sent, place = Sent(), 0
    for batch in _batches(texts):
        request = client.build_request(method, path, content="\n".join(batch).encode(), headers=headers)
        answer = _answered(client, request, sleep)
        sent.accepted += answer["accepted"]
        sent.duplicates += answer.get("duplicates", 0)
        sent.refused += [{**refused, "index": place + refused["index"]} for refused in answer["refused"]]
        place += len(batch)
    return sent


def _batches(texts: Iterable[str]) -> Iterator[Sequence[str]]:
    source = iter(texts)
    while batch := list(islice(source, BATCH_EVENTS)):
        yield batch


def _answered(client: httpx.Client, request: httpx.Request, sleep: Callable[[float], None]) -> dict[str, Any]:
    """The answer to one batch; events keep their ids and items their moments, so that what is sent again counts once."""
    for _ in range(_TRIES):
        try:
            answer = client.send(request)
        except httpx.HTTPError as error:
            raise DependencyUnavailable(f"the collector does not answer ({error})", field="--to", value=str(client.base_url)) from error
        if answer.status_code not in _LATER:
            break
        sleep(min(_PATIENCE_S, float(answer.headers.get("retry-after", "1"))))
    else:
        raise DependencyUnavailable(
            "the collector asks for patience again and again", field="--to", value=str(client.base_url), fix="try later"
        )
    try:
        document: dict[str, Any] = answer.json()
    except ValueError as error:
        raise DependencyUnavailable(
            "what answers is no collector", field="--to", value=str(client.base_url), fix="name its address"
        ) from error
    if "accepted" not in document:
        raise InvalidInput(document.get("error", "refused"), field="--key", fix="see docs/events.md")
    return document
