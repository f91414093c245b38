"""An opened mail makes what it shows into impressions, once, and what follows counts for them."""

import json
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from endcap.core.errors import DependencyUnavailable
from endcap.core.settings import Settings
from endcap.events.log.writer import LogFile, Rotation
from endcap.events.stream.opened_lists import OPENED_SCHEMA
from endcap.prepared_lists.noted_folders import NotedFolders
from endcap.prepared_lists.prepared_folder import SCHEMA, Plan, PreparedFolder
from endcap_stream.opened_lists_sink import OpenedListsSink
from tests.services.stream.stream_process import StreamProcess
from tests.services.stream.test_job import line
from tests.waiting import until

OPENED_AT = datetime(2026, 11, 27, 8, tzinfo=UTC)
WITHIN_S = 60.0


def prepare(settings: Settings, folder: Path) -> None:
    """Lists of three people, of three items each; the last person has none."""
    plan = Plan(run="email-1", surface="email", k=3, people=3, people_digest="d", part_people=10)
    lists = [["a", "b", "c"], ["b", "c", "d"], []]
    rows = [
        {
            **{"user_id": f"u{number}", "request_id": f"email-1-0-0-{number}", "item_id": items, "score": [0.5] * len(items)},
            **{"propensity": [0.5, 0.25, 1.0][: len(items)], "source": ["ease"] * len(items), "degraded": []},
            **{"bundle": "endcap-7", "variant": "default", "made_at": OPENED_AT},
        }
        for number, items in enumerate(lists, start=1)
    ]
    made = PreparedFolder.open(folder, plan)
    made.write(0, pl.DataFrame(rows, schema=SCHEMA))
    NotedFolders(settings.prepared_lists_dir).note(made)


def openings(*request_ids: str, user_id: str | None = None, may_know: bool = True) -> pl.DataFrame:
    rows = [
        {
            **{"request_id": request_id, "event_id": f"e{number}", "occurred_at": OPENED_AT + timedelta(minutes=number)},
            **{"user_id": user_id, "session_id": f"mail {number}", "device": "mobile", "consent": True, "consent_analytics": may_know},
        }
        for number, request_id in enumerate(request_ids)
    ]
    return pl.DataFrame(rows, schema=OPENED_SCHEMA)


def written(settings: Settings) -> list[dict[str, object]]:
    return [json.loads(each) for file in sorted(settings.event_log_dir.glob("*")) for each in file.read_text().splitlines()]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path / "home")
    prepare(settings, tmp_path / "lists")
    return settings


def test_a_prepared_list_is_shown_when_its_mail_is_opened(settings: Settings) -> None:
    OpenedListsSink(settings, lambda: OPENED_AT).deliver(openings("email-1-0-0-2", "of-another-list", "email-1-0-0-3", user_id="u2"))
    events = written(settings)
    assert [(each["item_id"], each["position"], each["propensity"]) for each in events] == [("b", 1, 0.5), ("c", 2, 0.25), ("d", 3, 1)]
    for each in events:
        assert (each["event_type"], each["request_id"], each["surface"]) == ("impression", "email-1-0-0-2", "email")
        assert (each["user_id"], each["session_id"], each["device"], each["bundle"]) == ("u2", "mail 0", "mobile", "endcap-7")
        assert each["occurred_at"] == "2026-11-27T08:00:00Z"


def test_what_is_delivered_again_has_the_same_ids(settings: Settings) -> None:
    for _ in range(2):
        OpenedListsSink(settings, lambda: OPENED_AT).deliver(openings("email-1-0-0-1", "email-1-0-0-2"))
    ids = [each["event_id"] for each in written(settings)]
    assert len(ids) == 12
    assert ids[:6] == ids[6:]
    assert len(set(ids)) == 6


def test_without_consent_to_analytics_nobody_is_named(settings: Settings) -> None:
    OpenedListsSink(settings, lambda: OPENED_AT).deliver(openings("email-1-0-0-1", user_id="u1", may_know=False))
    events = written(settings)
    assert {each["user_id"] for each in events} == {None}
    assert "mail 0" not in {each["session_id"] for each in events}
    assert [each["consent_analytics"] for each in events] == [False] * 3


def test_who_is_named_in_the_file_alone_is_not_named_in_the_log(settings: Settings) -> None:
    """Where ids are kept hashed the file has them as they are given, and the stream has no key."""
    OpenedListsSink(settings, lambda: OPENED_AT).deliver(openings("email-1-0-0-1"))
    events = written(settings)
    assert {each["user_id"] for each in events} == {None}
    assert {each["session_id"] for each in events} == {"mail 0"}


def test_a_part_that_cannot_be_read_waits(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "lists" / "part-000000.parquet").write_bytes(b"half")
    with pytest.raises(DependencyUnavailable, match="cannot be read"):
        OpenedListsSink(settings, lambda: OPENED_AT).deliver(openings("email-1-0-0-1"))
    assert not settings.event_log_dir.exists()


@pytest.mark.processes
def test_what_follows_an_opened_mail_counts_for_its_list(settings: Settings) -> None:
    stream = StreamProcess(settings.home, {"ENDCAP_OUTCOMES__WRITE_SECONDS": "1"})
    log = LogFile(settings.event_log_dir, lambda: datetime.now(UTC), Rotation())

    def value(name: str) -> float:
        return stream.value(f"endcap_stream_{name}")

    def outcomes() -> pl.DataFrame:
        files = list(settings.outcomes_dir.glob("**/*.parquet"))
        return pl.concat([pl.read_parquet(each) for each in files], how="diagonal_relaxed") if files else pl.DataFrame()

    try:
        log.append_synced(line("1", "mail_open", session="mail", user_id="u1", request_id="email-1-0-0-1"))
        until(lambda: value("events_taken_total") == 4, "the opening and three impressions are taken", WITHIN_S)
        log.append_synced(line("2", "mail_open", session="mail", user_id="u1", request_id="email-1-0-0-1"))
        log.append_synced(line("3", "product_view", session="visit", user_id="u1", item_id="b", request_id="email-1-0-0-1"))
        until(lambda: value("events_taken_total") == 6, "a second opening shows nothing more", WITHIN_S)

        def clicked() -> list[tuple[str, int]]:
            found = outcomes()
            return (
                found.filter(pl.col("objective") == "click", pl.col("followed")).select("item_id", "position").rows() if len(found) else []
            )

        until(lambda: clicked() == [("b", 2)], "the view counts for the mail's second place", WITHIN_S)
        assert outcomes()["position"].unique().sort().to_list() == [1, 2, 3]
    finally:
        code = stream.end(signal.SIGTERM)
        log.close()
    assert code == 0
