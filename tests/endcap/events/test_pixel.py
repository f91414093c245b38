import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from endcap.core.errors import InvalidInput
from endcap.core.key_files import new_key
from endcap.events.dead_letters.sealing import Seal
from endcap.events.pixel import PixelExpired, opened_event, pixel_token

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
SEAL = Seal([new_key()], "KEY")


def token() -> str:
    return pixel_token(
        SEAL, event_id=UUID(int=7), session_id="mail-9", expires_at=NOW + timedelta(days=30), user_id="u-1", request_id="r-1"
    )


def test_an_opened_link_is_the_events_own_and_of_now() -> None:
    event = json.loads(opened_event(token(), SEAL, NOW))
    assert event == {
        "event_id": str(UUID(int=7)),
        "event_type": "mail_open",
        "session_id": "mail-9",
        "channel": "email",
        "user_id": "u-1",
        "request_id": "r-1",
        "occurred_at": "2026-03-01T08:00:00Z",
    }


def test_the_link_shows_nobody_whose_it_is() -> None:
    assert "u-1" not in token()


def test_a_link_that_was_changed_or_made_elsewhere_is_refused() -> None:
    for other in (
        token()[:-6] + "AAAAA=",
        "",
        "x",
        pixel_token(Seal([new_key()], "K"), event_id=UUID(int=7), session_id="s", expires_at=NOW),
    ):
        with pytest.raises(InvalidInput):
            opened_event(other, SEAL, NOW)


def test_a_link_is_over_at_its_time() -> None:
    with pytest.raises(PixelExpired):
        opened_event(token(), SEAL, NOW + timedelta(days=30))
