import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from endcap.contracts.event_type import EventType
from endcap.core.errors import InvalidInput
from endcap.core.key_files import new_key
from endcap.core.settings import ConsentSettings
from endcap.events.acceptance.acceptance import Acceptance, Refused, Sender
from endcap.events.acceptance.custom_types import CustomTypes
from endcap.events.acceptance.scopes import TYPES_OF_SCOPE, Scope
from endcap.events.dead_letters.fix import Fix, Which, read_fix
from endcap.events.dead_letters.letters import SentText, dead_letter
from endcap.events.dead_letters.replay import REPLAYED_FILE, Replayed, judged_again, open_letters, replay
from endcap.events.dead_letters.sealing import Seal
from endcap.events.log.reader import read_events
from tests.endcap.events.sent_events import sent

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
SEAL = Seal([new_key()], "KEY")
SENDER = Sender("till", Scope.SERVER, TYPES_OF_SCOPE[Scope.SERVER])
RENAME = Fix(which=Which(reason="no field of the contract"), rename={"price": "unit_price"}, set={"currency": "EUR"})


def acceptance(analytics: bool = True) -> Acceptance:
    return Acceptance(ConsentSettings(personalisation=True, analytics=analytics), CustomTypes(), lambda: "fresh")


def refuse(folder: Path, *events: dict[str, Any]) -> None:
    """Keep events as the collector does."""
    folder.mkdir(exist_ok=True)
    with (folder / "20260301T080000-1.jsonl").open("a") as file:
        for index, event in enumerate(events):
            text = json.dumps(event)
            verdict = acceptance().judge(text, SENDER, NOW)
            assert isinstance(verdict, Refused)
            file.write(dead_letter(verdict, SentText(text, None, index), SENDER, NOW, SEAL).model_dump_json(exclude_none=True) + "\n")


def purchase(name: str, **changes: Any) -> dict[str, Any]:
    event = sent(EventType.PURCHASE, NOW - timedelta(hours=23), name, **changes)
    return {"price": 4.5, **{field: value for field, value in event.items() if field not in ("unit_price", "currency")}}


def replayed(folder: Path, fix: Fix, *, analytics: bool = True) -> Replayed:
    letters = judged_again(open_letters(folder / "letters", fix), fix, acceptance(analytics), SEAL)
    return replay(letters, folder / "letters", folder / "events", lambda: NOW)


def test_letters_that_are_mended_become_events_once(tmp_path: Path) -> None:
    refuse(tmp_path / "letters", purchase("a"), purchase("b"), {**purchase("c"), "colour": "red"})
    assert replayed(tmp_path, RENAME) == Replayed(stored=2, duplicates=0, refused=1)
    assert replayed(tmp_path, RENAME) == Replayed(stored=0, duplicates=0, refused=1)
    stored = read_events(tmp_path / "events").collect()
    assert stored.select("unit_price", "currency").rows() == [(4.5, "EUR")] * 2
    assert stored["received_at"].to_list() == [NOW] * 2


def test_a_replay_that_broke_off_before_it_was_noted_stores_nothing_twice(tmp_path: Path) -> None:
    refuse(tmp_path / "letters", purchase("a"))
    replayed(tmp_path, RENAME)
    (tmp_path / "letters" / REPLAYED_FILE).unlink()
    assert replayed(tmp_path, RENAME) == Replayed(stored=0, duplicates=1, refused=0)
    assert len(read_events(tmp_path / "events").collect()) == 1


def test_consent_is_judged_again(tmp_path: Path) -> None:
    refuse(tmp_path / "letters", purchase("a", user_id="u-secret"))
    replayed(tmp_path, RENAME, analytics=False)
    assert read_events(tmp_path / "events").collect().select("user_id", "session_id").rows() == [(None, "fresh")]


def test_late_events_are_taken_as_a_backfill_and_no_other_way(tmp_path: Path) -> None:
    refuse(tmp_path / "letters", sent(EventType.CLICK, NOW - timedelta(days=3)))
    late = Which.model_validate({"kind": "too_late"})
    assert replayed(tmp_path, Fix(which=late)) == Replayed(stored=0, duplicates=0, refused=1)
    assert replayed(tmp_path, Fix(which=late, backfill=True)) == Replayed(stored=1, duplicates=0, refused=0)
    assert read_events(tmp_path / "events").collect()["occurred_at"].to_list() == [NOW - timedelta(days=3)]


def test_a_fix_that_changes_nothing_is_for_causes_elsewhere(tmp_path: Path) -> None:
    refuse(tmp_path / "letters", purchase("a"))
    (judged,) = judged_again(open_letters(tmp_path / "letters", Fix()), Fix(), acceptance(), SEAL)
    assert isinstance(judged.verdict, Refused)


@pytest.mark.parametrize(
    ("which", "count"), [({}, 1), ({"kind": "too_late"}, 0), ({"key_id": "till"}, 1), ({"field": "query"}, 0), ({"reason": "contract"}, 1)]
)
def test_a_fix_is_for_the_letters_that_it_names(tmp_path: Path, which: dict[str, str], count: int) -> None:
    refuse(tmp_path, purchase("a"))
    assert len(list(open_letters(tmp_path, Fix(which=Which.model_validate(which))))) == count


@pytest.mark.parametrize("text", ["{", "[1]", "7", "[" * 100_000])
def test_what_is_no_event_stays_as_it_is(text: str) -> None:
    assert RENAME.applied(text) == text


@pytest.mark.parametrize(("content", "message"), [("which: [", "no YAML"), ("wich: {}", "wich"), ("which: {kind: odd}", "which.kind")])
def test_a_fix_that_cannot_be_read_says_why(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "fix.yaml").write_text(content)
    with pytest.raises(InvalidInput, match=message):
        read_fix(tmp_path / "fix.yaml")
    assert read_fix(None) == Fix()
