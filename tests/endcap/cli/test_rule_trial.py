"""What rules change in a list, by the same limits as the lists that customers see."""

from collections import Counter
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from endcap.catalogue.item_table import ItemTable
from endcap.cli.rule_trial import RuleTrials, TrialRequest
from endcap.contracts.moment import require_utc
from endcap.core.settings import RetrievalSettings
from endcap.engine.retrieval.user_state import user_state
from endcap.engine.rules.file.rule_file import RuleFile
from endcap.engine.rules.rule_book import RuleBook
from tests.endcap.conftest import small_item_rows, small_tables
from tests.endcap.engine.rules.made_catalogue import NOW


def family_of(item: int) -> int:
    """Two items in a row are of one family."""
    return (item - 1) // 2


@pytest.mark.parametrize("one_of_family", [True, False])
def test_a_trial_shows_one_of_a_family_where_the_surface_does(one_of_family: bool) -> None:
    rows = small_item_rows().with_columns((pl.int_range(pl.len()) // 2).cast(pl.String).alias("family_id"))
    tables = replace(small_tables(), items=ItemTable.from_items(rows))
    rule = {"id": "second", "where": "item_id = 'i00005'", "pin": {"position": 2}}
    book = RuleBook.compile(RuleFile.model_validate({"version": 1, "rules": [rule]}), tables.items, lambda: NOW)
    request = TrialRequest("home", 5, require_utc(NOW), np.zeros(0, np.int32), one_of_family=one_of_family)
    trial = RuleTrials(book, tables, RetrievalSettings()).trial(user_state(None, tables.items, tables.user_vocabularies, NOW), request)
    shown = [place.item_index for place in trial.places if place.position is not None]
    before = [place.item_index for place in trial.places if place.was is not None]
    assert len(shown) == 5
    assert shown[1] == 6
    for listed in (shown, before):
        assert (max(Counter(map(family_of, listed)).values()) == 1) is one_of_family
