"""Prepared lists are found by their request ids, wherever their folders are."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from endcap.prepared_lists.bulk_endpoint import BulkEndpoint
from endcap.prepared_lists.noted_folders import FOUND_SCHEMA, NotedFolders
from endcap.prepared_lists.people import People, Share
from endcap.prepared_lists.prepared_folder import Plan, PreparedFolder
from endcap.prepared_lists.preparing import prepare
from tests.endcap.prepared_lists.made_endpoint import MadeEndpoint

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
IDS = tuple(f"p{number:03d}" for number in range(250))


def prepared(folder: Path, run: str, endpoint: MadeEndpoint, surface: str = "email") -> PreparedFolder:
    people = People(IDS)
    plan = Plan(run=run, surface=surface, k=3, people=len(IDS), people_digest=people.digest, part_people=100)
    made = PreparedFolder.open(folder, plan)
    with BulkEndpoint(endpoint.url, "endcap", patience_s=2, sleep=lambda _: None) as bulk:
        prepare(people, made, Share(), bulk, lambda: NOW, lambda _: None)
    return made


def ids_by_person(folder: PreparedFolder) -> dict[str, str]:
    return dict(pl.read_parquet(folder.path / "*.parquet").select("user_id", "request_id").rows())


def test_each_list_is_found_among_all_parts_and_runs(endpoint: MadeEndpoint, tmp_path: Path) -> None:
    notes = NotedFolders(tmp_path / "live" / "prepared-lists")
    folders = [prepared(tmp_path / name, run, endpoint, run) for name, run in (("a", "email"), ("b", "email-5"), ("c", "push/de"))]
    for each in folders:
        notes.note(each)
    for each in folders:
        ids = ids_by_person(each)
        found = notes.lists_of([ids["p003"], ids["p117"], ids["p249"]]).sort("user_id")
        assert found.schema == FOUND_SCHEMA
        assert found["user_id"].to_list() == ["p003", "p117", "p249"]
        assert found["item_id"].to_list()[1] == ["p117:1", "p117:2", "p117:3"]
        assert found["surface"].unique().to_list() == [each.plan.surface]


@pytest.mark.parametrize("request_id", ["", "email", "email-", "email-x-0-1", "email-7-0-1", "email-99999999999999999999-1", "other-0-0-1"])
def test_a_list_that_was_not_prepared_is_passed_over(endpoint: MadeEndpoint, tmp_path: Path, request_id: str) -> None:
    notes = NotedFolders(tmp_path / "prepared-lists")
    notes.note(prepared(tmp_path / "lists", "email", endpoint))
    assert notes.lists_of([request_id]).is_empty()


def test_without_a_note_nothing_is_found(tmp_path: Path) -> None:
    assert NotedFolders(tmp_path / "none").lists_of(["email-0-0-1"]).is_empty()


def test_a_folder_beside_the_notes_is_found_from_another_path(endpoint: MadeEndpoint, tmp_path: Path) -> None:
    folder = prepared(tmp_path / "live" / "mails", "email", endpoint)
    NotedFolders(tmp_path / "live" / "prepared-lists").note(folder)
    request_id = ids_by_person(folder)["p003"]
    (tmp_path / "live").rename(tmp_path / "mounted")
    assert len(NotedFolders(tmp_path / "mounted" / "prepared-lists").lists_of([request_id])) == 1


def test_a_folder_that_is_gone_is_complained_of_once(endpoint: MadeEndpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, notes = prepared(tmp_path / "mails", "email", endpoint), NotedFolders(tmp_path / "prepared-lists")
    notes.note(folder)
    request_id = ids_by_person(folder)["p003"]
    shutil.rmtree(folder.path)
    assert notes.lists_of([request_id]).is_empty()
    assert notes.lists_of([request_id]).is_empty()
    said = capsys.readouterr()
    assert (said.out + said.err).count("lists of opened mails are gone") == 1
