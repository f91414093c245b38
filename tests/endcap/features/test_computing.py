import polars as pl
import pytest

from endcap.core.errors import DataRejected
from endcap.features.columns import (
    HISTORY_LENGTH,
    ITEM_NUMERIC,
    PAIR_BOUGHT,
    PAIR_LISTS,
    PAIR_SIGNALS,
    PAIRS_MAX,
    USER_AFFINITY,
    USER_CATEGORICAL,
    USER_HISTORY,
    USER_NUMERIC,
)
from endcap.features.computing import build_feature_tables
from endcap.features.manifest import read_manifest
from endcap.features.names import FEATURE_TABLES
from endcap.features.snapshots import FeatureOptions

OPTIONS = FeatureOptions(test_weeks=2, ranking_windows=2)
LIST_TYPES = {"_ids": pl.List(pl.String), "_at": pl.List(pl.Int64), "_signals": pl.List(pl.Int64)}


@pytest.fixture(scope="module")
def built(shop, tmp_path_factory):
    folder = tmp_path_factory.mktemp("build")
    dataset = shop.random_shop(folder / "data", 3)
    return dataset, folder / "features", build_feature_tables(dataset, folder / "features", OPTIONS)


def list_type(name):
    return next((dtype for ending, dtype in LIST_TYPES.items() if name.endswith(ending)), pl.List(pl.Float32))


def test_tables_have_the_columns_and_types_of_the_contract(built):
    _, folder, _ = built
    key = {"event_timestamp": pl.Datetime("us", "UTC")}
    users = dict.fromkeys(USER_NUMERIC, pl.Float32) | dict.fromkeys(USER_CATEGORICAL, pl.String)
    users |= {name: list_type(name) for name in (*USER_HISTORY, *USER_AFFINITY)}
    assert pl.read_parquet_schema(folder / "user_features.parquet") == {"user_id": pl.String} | key | users
    pairs = {name: list_type(name) for name in PAIR_LISTS}
    assert pl.read_parquet_schema(folder / "user_item_features.parquet") == {"user_id": pl.String} | key | pairs
    items = dict.fromkeys(ITEM_NUMERIC, pl.Float32)
    assert pl.read_parquet_schema(folder / "item_features.parquet") == {"item_id": pl.String} | key | items


@pytest.mark.parametrize("table", FEATURE_TABLES)
def test_nothing_is_null_or_infinite(built, table):
    frame = pl.read_parquet(built[1] / f"{table}.parquet")
    assert frame.height > 0
    assert frame.null_count().transpose()["column_0"].sum() == 0
    assert (
        frame.select(pl.col(pl.Float32).is_finite().all()).transpose()["column_0"].all() if frame.select(pl.col(pl.Float32)).width else True
    )


@pytest.mark.parametrize("table", FEATURE_TABLES)
def test_one_row_a_key_and_snapshot(built, table):
    frame = pl.read_parquet(built[1] / f"{table}.parquet")
    assert not frame.select(frame.columns[:2]).is_duplicated().any()


def test_parallel_lists_are_of_equal_length_and_bounded(built):
    users = pl.read_parquet(built[1] / "user_features.parquet")
    pairs = pl.read_parquet(built[1] / "user_item_features.parquet")
    for frame, names, most in (
        (users, USER_HISTORY, HISTORY_LENGTH),
        (users, USER_AFFINITY[:2], 30),
        (users, USER_AFFINITY[2:], 30),
        (pairs, PAIR_BOUGHT, PAIRS_MAX),
        (pairs, PAIR_SIGNALS, PAIRS_MAX),
    ):
        lengths = frame.select(pl.col(name).list.len() for name in names)
        assert all((lengths[name] == lengths[names[0]]).all() for name in names)
        assert lengths[names[0]].max() <= most


def test_shares_lie_between_zero_and_one(built):
    for table in ("user_features", "item_features"):
        frame = pl.read_parquet(built[1] / f"{table}.parquet")
        shares = frame.select(pl.col("^.*_share(_.*)?$"))
        assert shares.width >= 3
        assert shares.min().transpose()["column_0"].min() >= 0
        assert shares.max().transpose()["column_0"].max() <= 1


def test_pairs_exist_at_the_ranking_times_the_cut_and_the_end(built):
    manifest = built[2].manifest
    times = pl.read_parquet(built[1] / "user_item_features.parquet")["event_timestamp"].unique().sort().to_list()
    assert times == sorted({*manifest.ranking_times, manifest.cut, manifest.data_end})


def test_every_item_of_the_catalogue_has_a_row_at_the_end(built):
    dataset, folder, summary = built
    rows = pl.read_parquet(folder / "item_features.parquet").filter(pl.col("event_timestamp") == summary.manifest.data_end)
    assert set(rows["item_id"]) == set(pl.read_parquet(dataset / "items.parquet")["item_id"])


def test_manifest_reads_back_and_names_the_rows(built):
    _, folder, summary = built
    assert read_manifest(folder) == summary.manifest
    assert summary.rows == {name: pl.scan_parquet(folder / f"{name}.parquet").select(pl.len()).collect().item() for name in FEATURE_TABLES}


def test_same_input_gives_the_same_tables_and_fingerprint(built, tmp_path):
    dataset, folder, summary = built
    again = build_feature_tables(dataset, tmp_path / "again", OPTIONS)
    assert again.manifest == summary.manifest
    for table in FEATURE_TABLES:
        assert pl.read_parquet(tmp_path / "again" / f"{table}.parquet").equals(pl.read_parquet(folder / f"{table}.parquet"))


def test_another_option_changes_the_fingerprint(built, tmp_path):
    dataset, _, summary = built
    other = build_feature_tables(dataset, tmp_path / "other", FeatureOptions(test_weeks=3, ranking_windows=2))
    assert other.manifest.fingerprint != summary.manifest.fingerprint


def test_users_and_promotions_may_be_left_out(shop, tmp_path):
    events = shop.random_events(seed=5, weeks=8, users=3)
    dataset = shop.write_shop(tmp_path / "data", events, [shop.item(f"i{number}") for number in range(15)])
    build_feature_tables(dataset, tmp_path / "features", FeatureOptions(test_weeks=1, ranking_windows=1))
    assert pl.read_parquet(tmp_path / "features" / "item_features.parquet")["display_share"].max() == 0


def assert_refused(dataset, tmp_path, match):
    with pytest.raises(DataRejected, match=match):
        build_feature_tables(dataset, tmp_path / "out" / "features", OPTIONS)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_missing_table_is_named_and_nothing_is_left_behind(tmp_path):
    (tmp_path / "data").mkdir()
    assert_refused(tmp_path / "data", tmp_path, "events.parquet")


def test_a_corrupt_table_is_named_and_nothing_is_left_behind(shop, tmp_path):
    dataset = shop.random_shop(tmp_path / "data", 1)
    (dataset / "items.parquet").write_bytes(b"PAR1 not really")
    assert_refused(dataset, tmp_path, "items.parquet")


def test_a_dataset_without_purchases_is_refused(shop, tmp_path):
    assert_refused(shop.random_shop(tmp_path / "data", 1, events=[]), tmp_path, "no purchases")


def test_old_tables_stay_when_a_build_fails(shop, tmp_path):
    features = tmp_path / "features"
    features.mkdir()
    (features / "old").touch()
    with pytest.raises(DataRejected):
        build_feature_tables(shop.random_shop(tmp_path / "data", 1, events=[]), features, OPTIONS)
    assert (features / "old").exists()
