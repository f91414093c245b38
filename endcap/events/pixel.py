"""Links for mails: a picture of one pixel whose address says which mail was opened, sealed and for a time only."""

import json
from datetime import datetime
from uuid import UUID

from endcap.contracts.event_type import EventType
from endcap.contracts.moment import utc_text
from endcap.core.errors import InvalidInput
from endcap.events.dead_letters.sealing import Seal


class PixelExpired(InvalidInput):
    """The link's time is over."""

    http_status = 410


def pixel_token(
    seal: Seal, *, event_id: UUID, session_id: str, expires_at: datetime, user_id: str | None = None, request_id: str | None = None
) -> str:
    """What stands in the link behind `?t=`; nobody else can make or read it.

    Args:
        seal: the keys of pixels.
        event_id: of the opening; however often the mail is opened, it counts once.
        session_id: the mail's.
        expires_at: UTC; no longer taken from then on.
        user_id: whose mail it is.
        request_id: of the recommendation answer that the mail shows.
    """
    event = {"event_id": str(event_id), "event_type": EventType.MAIL_OPEN.value, "session_id": session_id, "channel": "email"}
    given = {name: value for name, value in (("user_id", user_id), ("request_id", request_id)) if value is not None}
    return seal.seal(json.dumps({"event": {**event, **given}, "expires_at": expires_at.timestamp()}))


def opened_event(token: str, seal: Seal, now: datetime) -> str:
    """The event of an opened link, as JSON for the collector to judge.

    Raises:
        InvalidInput: the token was not made with these keys.
        PixelExpired: its time is over.
    """
    link = json.loads(seal.open(token))
    if now.timestamp() >= link["expires_at"]:
        raise PixelExpired("the link's time is over", field="t", fix="nothing needs to be done")
    return json.dumps({**link["event"], "occurred_at": utc_text(now)})
