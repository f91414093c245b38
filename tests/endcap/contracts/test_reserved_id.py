from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from endcap.contracts.event import Event
from endcap.contracts.probe import ONLINE_ID
from endcap.contracts.request import Instance
from endcap.contracts.reserved_id import reserved_id
from endcap.features.store.store_mark import MARK_ID

MOMENT = datetime(2026, 11, 27, tzinfo=UTC)


def event(**ids: str) -> Event:
    fields = {"event_id": UUID(int=1), "event_type": "page_view", "occurred_at": MOMENT, "received_at": MOMENT, "session_id": "s"}
    return Event.model_validate(fields | ids)


@pytest.mark.parametrize("field", ["user_id", "session_id"])
@given(name=st.text("abc:-", max_size=128))
def test_no_caller_can_write_or_read_a_reserved_id(field: str, name: str) -> None:
    for taken in (reserved_id(name), ONLINE_ID, MARK_ID):
        with pytest.raises(ValidationError, match="at most 128 characters"):
            event(**{field: taken})
        with pytest.raises(ValidationError, match="at most 128 characters"):
            Instance.model_validate({field: taken})


def test_reserved_ids_differ() -> None:
    assert len({ONLINE_ID, MARK_ID}) == 2
