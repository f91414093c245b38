import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.core.errors import DataRejected
from endcap.core.person_ids import AS_GIVEN, PersonIds
from endcap.core.settings import ConsentSettings
from endcap.events.acceptance.acceptance import Acceptance, Accepted, Sender
from endcap.events.acceptance.custom_types import CustomTypes
from endcap.events.acceptance.scopes import TYPES_OF_SCOPE, Scope
from endcap.events.log.kept_ids import keep_ids_of_log, log_person_ids, require_kept_log
from endcap.events.log.reader import read_events

HASHED = PersonIds(bytes(32))
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
SENDER = Sender("till", Scope.SERVER, TYPES_OF_SCOPE[Scope.SERVER])
IDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=30)


def line_of(ids: PersonIds, **fields: str) -> str:
    event = {
        "event_id": str(UUID(int=7)),
        "event_type": "purchase",
        "occurred_at": "2026-11-27T11:59:00Z",
        "item_id": "I1",
        "quantity": 1,
        "session_id": "s-1",
        **fields,
    }
    consent = ConsentSettings(personalisation=True, analytics=True)
    verdict = Acceptance(consent, CustomTypes(), lambda: "fresh", ids).judge(json.dumps(event), SENDER, NOW)
    assert isinstance(verdict, Accepted), verdict
    return verdict.line


def write(folder: Path, *lines: str, name: str = "20261127T120000-1-a-000001.jsonl") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("".join(lines), encoding="utf-8")


@given(user=IDS, session=IDS, order=IDS, query=st.text(st.characters(codec="utf-8"), max_size=40))
def test_a_renamed_line_is_the_one_that_would_have_been_written(
    tmp_path_factory: pytest.TempPathFactory, user: str, session: str, order: str, query: str
) -> None:
    fields = {"user_id": f"u{user}", "session_id": f"s{session}", "order_id": f"o{order}", "query": f'"user_id":"x"{query}'}
    folder = tmp_path_factory.mktemp("log") / "events"
    write(folder, line_of(AS_GIVEN, **fields))
    assert keep_ids_of_log(folder, HASHED) == 3
    (file,) = folder.glob("*.jsonl")
    assert file.read_text(encoding="utf-8") == line_of(HASHED, **fields)


def test_ids_are_renamed_once_and_the_log_says_by_which_key(tmp_path: Path) -> None:
    folder = tmp_path / "events"
    write(folder, line_of(AS_GIVEN, user_id="U1"))
    assert log_person_ids(folder) is None
    assert keep_ids_of_log(folder, HASHED) == 2
    assert log_person_ids(folder) == HASHED.fingerprint
    assert keep_ids_of_log(folder, HASHED) == 0
    assert read_events(folder).collect()["user_id"].to_list() == [HASHED.kept("U1")]
    with pytest.raises(DataRejected, match="another key"):
        keep_ids_of_log(folder, PersonIds(bytes(range(32))))


def test_a_log_is_not_written_to_in_two_ways(tmp_path: Path) -> None:
    folder = tmp_path / "events"
    require_kept_log(folder, AS_GIVEN)
    assert not folder.exists()
    require_kept_log(folder, HASHED)
    require_kept_log(folder, HASHED)
    with pytest.raises(DataRejected, match="want them as given"):
        require_kept_log(folder, AS_GIVEN)
    with pytest.raises(DataRejected, match="another key"):
        require_kept_log(folder, PersonIds(bytes(range(32))))
    plain = tmp_path / "plain"
    write(plain, line_of(AS_GIVEN, user_id="U1"))
    with pytest.raises(DataRejected, match="endcap ids hash"):
        require_kept_log(plain, HASHED)
