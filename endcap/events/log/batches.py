"""What goes into the event log at once: collected cheaply while a request waits, written out later."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from json.encoder import encode_basestring_ascii
from typing import Protocol
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from endcap.contracts.event import EventType
from endcap.contracts.moment import utc_text

REQUEST_SESSION = "request:"
"""Prefix of the session id of a request that had none: the contract wants a session, and the request is all there is of it."""

_ID_TAIL = 3
_IDS_PER_UUID = 16**_ID_TAIL
_LONG, _SHORT = 128, 64
_TRUTH = {True: "true", False: "false"}


def known_by(user_id: str | None, session_id: str | None, *, analytics: bool) -> tuple[str | None, str | None]:
    """User and session of a logged list: without consent to analytics no user, and a random session.

    Args:
        user_id: as ids are kept.
        session_id: likewise.
        analytics: the customer's consent.
    """
    return (user_id, session_id) if analytics else (None, str(uuid4()))


class Batch(Protocol):
    """Events that are logged together."""

    def __len__(self) -> int: ...

    def json_lines(self) -> str:
        """One JSON object a line, each a contract `Event`, the last line ended too."""

    def persons(self) -> Sequence[str]:
        """[n], whose each event is: the user's id, else the session's."""


@dataclass(frozen=True, slots=True)
class Impressions:
    """One recommendation list as it was shown.

    Attributes:
        item_ids: [n], in the order of `positions`.
        positions: [n], places in the list, from 1.
        propensities: [n], in (0, 1].
        sources: [n], the source that each recommendation names.
        now: when it was shown, UTC.
        consent: whether the customer allows personalisation.
        consent_analytics: whether the customer allows analytics; without it `user_id` and `session_id` must not be the customer's.
        served_by: the InferenceService that made the list.
        event_ids: [n], ids of the events where the same list may be logged again; random ones otherwise.
    """

    request_id: str
    user_id: str | None
    session_id: str | None
    surface: str
    device: str | None
    item_ids: Sequence[str]
    positions: Sequence[int]
    propensities: Sequence[float] | NDArray[np.float32]
    sources: Sequence[str]
    bundle: str
    variant: str
    now: datetime
    consent: bool
    consent_analytics: bool
    served_by: str | None = None
    event_ids: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(self.item_ids)

    def json_lines(self) -> str:
        moment = utc_text(self.now)
        session = _text(self._session(), _LONG)
        tail = (
            f',"event_type":"{EventType.IMPRESSION}","schema_version":1,"occurred_at":"{moment}","received_at":"{moment}"'
            f',"user_id":{_text(self.user_id, _LONG)},"session_id":{session},"surface":{_text(self.surface, _SHORT)}'
            f',"request_id":{_text(self.request_id, _LONG)},"device":{_text(self.device, _SHORT)}'
            f',"bundle":{_text(self.bundle, _SHORT)},"variant":{_text(self.variant, _SHORT)}'
            f',"served_by":{_text(self.served_by, _LONG)}'
            f',"consent":{_TRUTH[self.consent]},"consent_analytics":{_TRUTH[self.consent_analytics]}}}\n'
        )
        ids = self.event_ids or _event_ids(len(self.item_ids))
        # Python's floats are written ten times as fast as numpy's.
        propensities = np.asarray(self.propensities, dtype=np.float64).tolist()
        source_texts = {source: _text(source, _SHORT) for source in set(self.sources)}
        shown = zip(ids, self.item_ids, self.positions, propensities, self.sources, strict=True)
        return "".join(
            f'{{"event_id":"{event_id}","item_id":{_text(item_id, _LONG)},"position":{position}'
            f',"propensity":{propensity:.7g},"source":{source_texts[source]}{tail}'
            for event_id, item_id, position, propensity, source in shown
        )

    def persons(self) -> Sequence[str]:
        return [_fitting(self.user_id or self._session(), _LONG)] * len(self.item_ids)

    def _session(self) -> str:
        return self.session_id or REQUEST_SESSION + self.request_id


def _event_ids(count: int) -> list[str]:
    """Random UUIDs that differ in their last digits only within one list, at a fraction of the cost of drawing each."""
    ids: list[str] = []
    while len(ids) < count:
        head = str(uuid4())[:-_ID_TAIL]
        ids += [f"{head}{number:03x}" for number in range(min(count - len(ids), _IDS_PER_UUID))]
    return ids


def _text(value: str | None, longest: int) -> str:
    """As JSON, as `_fitting` makes it."""
    return encode_basestring_ascii(_fitting(value, longest)) if value else "null"


def _fitting(value: str, longest: int) -> str:
    """Cut to what the contract takes; lone surrogates, which no reader takes, are replaced."""
    if not value.isascii():
        value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value[:longest]
