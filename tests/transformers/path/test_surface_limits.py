"""What a surface asks of a list, as far as the catalogue has something to ask it of."""

from collections import Counter

import polars as pl
import pytest

from endcap.contracts.bundle import BundleManifest
from endcap.core.settings import Settings
from endcap.release.bundle.manifest import present_feature_columns
from endcap_benchmarks.synthetic.bundle import make_items, make_tables, manifest_fields
from endcap_transformer.live.served_bundle import ServedBundle, served_from
from tests.transformers.path.test_request_path import SIZE, items_of, make_path, recommend


def catalogue_with(**columns: pl.Expr) -> ServedBundle:
    rows = make_items(SIZE).with_columns(**columns)
    manifest = BundleManifest(features=present_feature_columns(), files={}, **manifest_fields(1, "endcap_1", SIZE))
    return served_from(manifest, make_tables(SIZE, rows), Settings(replay_at=manifest.data_end))


def surfaces_file(tmp_path, diversity: str):
    path = tmp_path / "surfaces.yaml"
    path.write_text(
        f"version: 1\nsurfaces:\n  home:\n    sources: {{popular: {{}}}}\n    diversity: {diversity}\n    exploration: {{share: 0}}\n"
    )
    return path


FLAT = {"category_path": pl.col("category_path").list.head(1)}
UNDER_ONE_ROOT = {"category_path": pl.concat_list(pl.lit("Shop"), pl.col("category_path").list.first())}
WITHOUT = {"category_path": pl.lit([], pl.List(pl.String))}


@pytest.mark.parametrize("columns", [FLAT, UNDER_ONE_ROOT, WITHOUT])
def test_a_flat_tree_is_shown_in_the_order_without_a_limit(feature_row, tmp_path, columns) -> None:
    served = catalogue_with(**columns)
    capped = make_path(served, feature_row, surfaces=surfaces_file(tmp_path, "{category_most: 1}"))
    free = make_path(served, feature_row, surfaces=surfaces_file(tmp_path, "{}"))
    listed = recommend(capped, served, k=20, explain=True)
    assert items_of(listed) == items_of(recommend(free, served, k=20))
    assert all("category_most" not in item.explanation["diversity"] for item in listed.recommendations)


def test_the_finest_level_of_a_deep_tree_is_limited_and_explained(served, feature_row, tmp_path) -> None:
    path = make_path(served, feature_row, surfaces=surfaces_file(tmp_path, "{category_most: 2}"))
    listed = recommend(path, served, user_id="U1", k=20, explain=True)
    paths = dict(make_items(SIZE).select("item_id", pl.col("category_path").list.join(">")).iter_rows())
    assert max(Counter(paths[item] for item in items_of(listed)).values()) == 2
    assert {item.explanation["diversity"]["category_most"] for item in listed.recommendations} == {2}


def test_a_limit_on_the_only_level_that_is_named_grows_until_the_list_keeps_its_worth(feature_row, tmp_path) -> None:
    served = catalogue_with(**FLAT)
    path = make_path(served, feature_row, surfaces=surfaces_file(tmp_path, "{category_most: 1, category_level: 1}"))
    listed = recommend(path, served, k=20, explain=True)
    (limit,) = {item.explanation["diversity"]["category_most"] for item in listed.recommendations}
    assert 4 <= limit <= 20
    assert {item.explanation["place"] for item in listed.recommendations} == {"ranked"}
