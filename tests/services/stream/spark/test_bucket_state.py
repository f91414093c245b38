"""What a bucket remembers is what the last change of each key said, however its files were written anew between."""

from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.core.errors import DependencyUnavailable
from endcap.events.stream.columns import BEGINNING, MOMENT
from endcap.events.stream.function import DUE_AT, KEY
from endcap_stream.spark.stages.buckets import buckets_of, split_by_key
from endcap_stream.spark.storage.bucket_state import BucketFiles, BucketState, Change
from endcap_stream.spark.storage.state_folder import StateFolder
from tests.properties import examples

SCHEMA = pl.Schema({KEY: pl.String(), "number": pl.Int64()})
DUE = pl.Schema({KEY: pl.String(), DUE_AT: MOMENT})
KEYS = [f"k{number}" for number in range(12)]
TABLES = ("one", "two")


def moment(hours: int) -> datetime:
    return BEGINNING + timedelta(hours=hours)


def change_of(rows: dict[str, list[int]], due: dict[str, int]) -> Change:
    state = pl.DataFrame([(key, number) for key, numbers in rows.items() for number in numbers], schema=SCHEMA, orient="row")
    return Change(pl.Series(KEY, list(rows)), state, pl.DataFrame([(k, moment(h)) for k, h in due.items()], schema=DUE, orient="row"))


@pytest.mark.properties
@examples(60)
@given(seed=st.integers(0, 2**32), bucket=st.integers(0, 9))
def test_rows_and_due_keys_are_those_of_the_last_change_of_each_key(
    tmp_path_factory: pytest.TempPathFactory, seed: int, bucket: int
) -> None:
    random, folder = Random(seed), StateFolder(str(tmp_path_factory.mktemp("state")))
    known: dict[str, dict[str, list[int]]] = {table: {} for table in TABLES}
    due: dict[str, dict[str, int]] = {table: {} for table in TABLES}
    files, present = BucketFiles(), 0
    for number in range(40):
        present += random.randrange(3)
        state = BucketState(folder, files, dict.fromkeys(TABLES, SCHEMA))
        changes: dict[str, Change] = {}
        for table in TABLES:
            ripe = {key for key, hours in due[table].items() if hours <= present}
            assert set(state.due(table, moment(present), 100)) == ripe
            keys = sorted({*random.sample(KEYS, random.randrange(3)), *ripe})
            rows = {key: [number * 10 + place for place in range(random.randrange(3))] for key in keys}
            later = {key: present + 1 + random.randrange(9) for key in keys if rows[key]}
            due[table] = {key: hours for key, hours in due[table].items() if key not in rows} | later
            known[table] |= rows
            if keys:
                changes[table] = change_of(rows, later)
        files = state.written(f"state/{number:03}", bucket, changes, moment(present))
        again = BucketState(folder, files, dict.fromkeys(TABLES, SCHEMA))
        for table in TABLES:
            asked = random.sample(KEYS, 5)
            assert sorted(again.rows(table, pl.Series(KEY, asked)).rows()) == sorted(
                (key, value) for key in asked for value in known[table].get(key, [])
            )
        soonest = min((hours for table in TABLES for hours in due[table].values()), default=None)
        assert soonest is None or files.is_due(moment(soonest))
    assert len(files.names) <= 8 + bucket % 8


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    state = BucketState(StateFolder(str(tmp_path)), BucketFiles(("state/gone",)), {"one": SCHEMA})
    with pytest.raises(DependencyUnavailable, match="state/gone"):
        state.rows("one", pl.Series(KEY, ["k"]))


def test_a_key_is_in_the_same_bucket_in_every_process() -> None:
    assert buckets_of(pl.Series(["a", "b", "ä", "a", ""]), 8).to_list() == [3, 1, 3, 3, 0]


@pytest.mark.properties
@given(keys=st.lists(st.text(max_size=3), max_size=30), count=st.integers(1, 5))
def test_each_row_is_in_the_bucket_of_its_key(keys: list[str], count: int) -> None:
    rows = pl.DataFrame({"of": keys, "place": range(len(keys))}, schema={"of": pl.String(), "place": pl.Int64()})
    parts = dict(split_by_key(rows, "of", count))
    assert sorted(row for part in parts.values() for row in part.rows()) == sorted(rows.rows())
    for bucket, part in parts.items():
        assert buckets_of(part["of"], count).unique().to_list() == [bucket]
