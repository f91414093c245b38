from pathlib import Path

import polars as pl
import pytest

from endcap.catalogue.item_updates import UPDATES_FILE, read_updates
from endcap.core.settings import Settings
from endcap.features.columns import PAIRS_MAX
from endcap.features.manifest import read_manifest
from endcap_benchmarks.serving.home import BUNDLE_CODE, INDEX_CODE, RULES_CODE, USERS_CODE, HomeSize, Stamps, home_of, stamp
from endcap_benchmarks.serving.scenarios.refresh import ItemChanges
from endcap_benchmarks.synthetic.bundle import DATA_END
from endcap_benchmarks.synthetic.made_users import _write_tables, pair_counts


def test_a_stamp_changes_with_its_parameters_and_with_the_code(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "stamped_code").mkdir()
    (tmp_path / "stamped_code" / "__init__.py").touch()
    (tmp_path / "stamped_code" / "a.py").write_text("1")
    first = stamp(["stamped_code"], items=10)
    assert first == stamp(["stamped_code"], items=10)
    assert first != stamp(["stamped_code"], items=11)
    (tmp_path / "stamped_code" / "a.py").write_text("2")
    assert first != stamp(["stamped_code"], items=10)


@pytest.mark.parametrize("code", [BUNDLE_CODE, INDEX_CODE, USERS_CODE, RULES_CODE])
def test_all_code_that_a_home_follows_from_is_there(code: tuple[str, ...]) -> None:
    assert stamp(code) != stamp(code[1:])


def test_stamps_are_kept_over_runs(tmp_path: Path) -> None:
    path = tmp_path / "made.json"
    assert Stamps(path).differ("bundle", "x")
    Stamps(path).keep("bundle", "x")
    assert not Stamps(path).differ("bundle", "x")
    assert Stamps(path).differ("index", "x")


def test_homes_lie_under_the_products_home(tmp_path: Path) -> None:
    assert home_of(Settings(home=tmp_path), 1_000_000) == tmp_path / "bench" / "1000000"


def test_shelves_and_brands_grow_with_the_catalogue() -> None:
    small, large = HomeSize(10_000).catalogue(), HomeSize(1_000_000).catalogue()
    assert (small.shelves, large.shelves) == (36, 3_564)
    assert large.items / large.shelves < 300
    assert large.shelves % 36 == 0


def test_people_have_bought_as_much_as_those_of_the_real_data() -> None:
    import numpy as np

    counts = pair_counts(20_000, np.random.default_rng(1))
    assert counts.min() >= 1 and counts.max() == PAIRS_MAX
    assert abs(np.median(counts) - 276) < 10
    assert abs(counts.mean() - 305) < 15


def test_feature_tables_are_as_the_pipeline_writes_them(tmp_path: Path) -> None:
    _write_tables(tmp_path, HomeSize(500).catalogue(), users=20, seed=1)
    assert read_manifest(tmp_path).pair_times == (DATA_END,)
    users, pairs = (pl.read_parquet(tmp_path / f"{name}.parquet") for name in ("user_features", "user_item_features"))
    assert users["user_id"].to_list() == pairs["user_id"].to_list() == [f"U{number}" for number in range(20)]
    assert pairs.schema["pair_last_bought_at"] == pl.List(pl.Int64)
    assert (pairs["pair_item_ids"].list.len() == pairs["pair_times_bought"].list.len()).all()


def test_item_changes_are_a_share_of_the_catalogue_with_another_state_each_time(tmp_path: Path) -> None:
    changes = ItemChanges(tmp_path, items=2_000, seed=1)
    changes.publish()
    first = read_updates(tmp_path / UPDATES_FILE)
    changes.publish()
    second = read_updates(tmp_path / UPDATES_FILE)
    assert len(first) == len(second) == 20
    assert second["updated_at"].min() > first["updated_at"].max() > DATA_END
    changes.withdraw()
    assert not (tmp_path / UPDATES_FILE).exists()
