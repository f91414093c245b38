from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from endcap.events.pixel import pixel_token
from tests.services.collector.running_collector import NOW, running


async def test_a_mail_that_is_opened_often_counts_once(tmp_path: Path) -> None:
    async with running(tmp_path) as collector:
        token = pixel_token(
            collector.parts.pixel_seal, event_id=UUID(int=7), session_id="mail-9", expires_at=NOW + timedelta(days=1), user_id="u"
        )
        answers = [await collector.client.get("/v1/pixel", params={"t": token}) for _ in range(3)]
        assert {(answer.status_code, answer.headers["content-type"], answer.headers["cache-control"]) for answer in answers} == {
            (200, "image/gif", "no-store")
        }
        assert answers[0].content.startswith(b"GIF89a")
        assert collector.stored().select("event_type", "user_id", "channel").rows() == [("mail_open", "u", "email")]


@pytest.mark.parametrize(("lasts", "token", "status"), [(timedelta(0), None, 410), (timedelta(1), "x", 403), (timedelta(1), "", 403)])
async def test_a_link_that_is_over_or_was_made_elsewhere_counts_nothing(
    tmp_path: Path, lasts: timedelta, token: str | None, status: int
) -> None:
    async with running(tmp_path) as collector:
        made = pixel_token(collector.parts.pixel_seal, event_id=UUID(int=7), session_id="mail-9", expires_at=NOW + lasts)
        answer = await collector.client.get("/v1/pixel", params={"t": made if token is None else token})
        assert answer.status_code == status
        assert collector.stored().is_empty()
