import numpy as np
import polars as pl

from endcap.catalogue.item_table import ItemTable
from endcap.training.training_set import TrainingSet
from endcap_components.train_two_tower.content import item_content
from tests.endcap.training.made_artifacts import training_dir


def content_codes(items: ItemTable, item_id: str) -> list[set[int]]:
    content = item_content(items, title_buckets=64, price_buckets=5)
    index = items.ids.code(item_id)
    return [set(block.codes[block.row[index]].tolist()) - {0} for block in content.blocks]


def test_blocks_share_no_code() -> None:
    content = item_content(TrainingSet(training_dir()).items, title_buckets=64, price_buckets=5)
    used = [set(np.unique(block.codes).tolist()) - {0} for block in content.blocks]
    assert all(not first & second for number, first in enumerate(used) for second in used[:number])
    assert max(max(codes) for codes in used) < content.size


def test_item_that_nobody_bought_has_the_attributes_of_its_kind() -> None:
    items = TrainingSet(training_dir()).items
    assert content_codes(items, "never")[0] == content_codes(items, "t0-i00")[0]


def test_unknown_price_and_brand_have_no_code() -> None:
    rows = TrainingSet(training_dir()).item_rows.with_columns(
        pl.lit(None, dtype=pl.Float64).alias("price"), pl.lit(None, dtype=pl.String).alias("brand")
    )
    codes = content_codes(ItemTable.from_items(rows), "t0-i00")
    assert codes[1] == set()
    assert codes[2] == set()


def test_padding_has_no_attributes() -> None:
    content = item_content(TrainingSet(training_dir()).items, title_buckets=64, price_buckets=5)
    assert all((block.codes[block.row[0]] == 0).all() for block in content.blocks)
