"""Ids that have more events than a person can."""

from pathlib import Path

import polars as pl
import pytest

from endcap.dataset.busy_people import busy_people


@pytest.mark.parametrize(
    ("counts", "named"),
    [
        ({"guest": 400, **{f"c{number}": 6 for number in range(100)}}, ["guest"]),
        ({"guest": 400, "0": 300, **{f"c{number}": 6 for number in range(100)}}, ["guest", "0"]),
        ({"guest": 40, **{f"c{number}": 6 for number in range(100)}}, []),
        ({"loyal": 50, **{f"c{number}": 6 for number in range(100)}}, []),
        ({"ann": 100, "bob": 10}, []),
        ({"ann": 100}, []),
        ({}, []),
    ],
)
def test_only_ids_far_above_all_others_are_named(tmp_path: Path, counts: dict[str, int], named: list[str]) -> None:
    people = [user for user, count in counts.items() for _ in range(count)]
    pl.DataFrame({"user_id": [*people, None, None]}, schema={"user_id": pl.String}).write_parquet(tmp_path / "events.parquet")
    found = busy_people(tmp_path / "events.parquet")
    assert [person.user_id for person in found] == named
    assert all(person.share == counts[person.user_id] / len(people) and person.events == counts[person.user_id] for person in found)
