from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from endcap.core.errors import DependencyUnavailable, InvalidInput
from endcap.prepared_lists.bulk_endpoint import BulkEndpoint
from endcap.prepared_lists.people import People, Share
from endcap.prepared_lists.prepared_folder import SCHEMA, Plan, PreparedFolder
from endcap.prepared_lists.preparing import Prepared, prepare
from tests.endcap.prepared_lists.made_endpoint import MadeEndpoint

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
IDS = tuple(f"p{number:04d}" for number in range(1_000))
WHOLE = Share()


def plan_of(people: People, run: str = "email-1", **other: object) -> Plan:
    fields = {"surface": "email", "k": 3, "part_people": 300, "people": len(people.ids), "people_digest": people.digest}
    return Plan(run=run, **(fields | other))  # type: ignore[arg-type]


def run(folder: Path, endpoint: MadeEndpoint, people: People, share: Share = WHOLE, **other: object) -> tuple[Prepared, list[int]]:
    advanced: list[int] = []
    with BulkEndpoint(endpoint.url, "endcap", patience_s=2, sleep=lambda _: None) as bulk:
        done = prepare(people, PreparedFolder.open(folder, plan_of(people, **other)), share, bulk, lambda: NOW, advanced.append)  # type: ignore[arg-type]
    return done, advanced


def test_everybody_gets_the_list_that_was_made_for_them(endpoint: MadeEndpoint, tmp_path: Path) -> None:
    done, advanced = run(tmp_path / "lists", endpoint, People(IDS))
    assert done == Prepared(lists=1_000, kept=0, degraded=0, empty=0)
    assert sum(advanced) == 1_000
    rows = pl.read_parquet(tmp_path / "lists" / "*.parquet")
    assert rows.schema == SCHEMA
    assert rows["user_id"].to_list() == list(IDS)
    assert rows["item_id"].to_list() == [[f"{person}:{n}" for n in (1, 2, 3)] for person in IDS]
    assert rows["propensity"].to_list() == [[0.5] * 3] * 1_000
    assert rows["request_id"].n_unique() == 1_000
    assert rows["request_id"].str.starts_with("email-1-").all()
    assert all(len(instances) <= 100 for _, instances in endpoint.asked)


def test_a_run_that_broke_off_goes_on_and_asks_for_nobody_twice(endpoint: MadeEndpoint, tmp_path: Path) -> None:
    run(tmp_path, endpoint, People(IDS))
    (tmp_path / "part-000002.parquet").unlink()
    endpoint.asked.clear()
    done, _ = run(tmp_path, endpoint, People(IDS), run="email-2")
    assert done == Prepared(lists=300, kept=700, degraded=0, empty=0)
    assert sorted(each["user_id"] for _, instances in endpoint.asked for each in instances) == list(IDS[600:900])
    assert pl.read_parquet(tmp_path / "*.parquet")["request_id"].str.starts_with("email-1-").all(), "request ids are those of the first run"


def test_an_endpoint_that_goes_away_leaves_what_is_whole(endpoint: MadeEndpoint, tmp_path: Path) -> None:
    first = run(tmp_path, endpoint, People(IDS), Share(1, 2))
    assert first[0].lists == 600
    endpoint.troubles = [503] * 1_000
    with pytest.raises(DependencyUnavailable):
        run(tmp_path, endpoint, People(IDS))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["lists.json", "part-000000.parquet", "part-000002.parquet"]


def test_shares_of_several_machines_make_the_whole(endpoint: MadeEndpoint, tmp_path: Path) -> None:
    made = [run(tmp_path, endpoint, People(IDS), Share(number, 3))[0] for number in (1, 2, 3)]
    assert [each.lists for each in made] == [400, 300, 300]
    assert pl.read_parquet(tmp_path / "*.parquet")["user_id"].to_list() == list(IDS)


def test_a_list_in_which_a_stage_fell_back_is_asked_for_anew(endpoint: MadeEndpoint, tmp_path: Path) -> None:
    endpoint.degraded = {IDS[1], IDS[500]}
    assert run(tmp_path, endpoint, People(IDS))[0].degraded == 0
    rows = pl.read_parquet(tmp_path / "*.parquet")
    assert rows["user_id"].to_list() == list(IDS)
    assert rows.filter(pl.col("request_id").str.contains("again1"))["user_id"].to_list() == [IDS[1], IDS[500]]


@pytest.mark.parametrize(
    ("other", "message"),
    [({"surface": "home"}, "begun with surface email"), ({"k": 4}, "begun with k 3"), ({"part_people": 10}, "begun with part_people 300")],
)
def test_a_folder_of_another_plan_is_refused(endpoint: MadeEndpoint, tmp_path: Path, other: dict[str, object], message: str) -> None:
    run(tmp_path, endpoint, People(IDS[:10]))
    with pytest.raises(InvalidInput, match=message):
        run(tmp_path, endpoint, People(IDS[:10]), **other)


def test_a_folder_of_other_people_is_refused(endpoint: MadeEndpoint, tmp_path: Path) -> None:
    run(tmp_path, endpoint, People(IDS[:10]))
    with pytest.raises(InvalidInput, match="begun with people_digest"):
        run(tmp_path, endpoint, People(IDS[10:20]))


def test_a_folder_with_other_files_is_left_alone(endpoint: MadeEndpoint, tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with pytest.raises(InvalidInput, match="holds other files"):
        run(tmp_path, endpoint, People(IDS[:10]))


def test_what_people_allow_is_said_with_each_list(endpoint: MadeEndpoint, tmp_path: Path) -> None:
    run(tmp_path, endpoint, People(IDS[:2]), personalisation=True)
    assert [each["consent"] for _, instances in endpoint.asked for each in instances] == [{"personalisation": True}] * 2
