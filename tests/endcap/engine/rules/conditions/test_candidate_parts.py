"""What is answered beforehand equals what polars says of the request's own values."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.catalogue.item_table import ItemTable
from endcap.engine.rules.conditions.candidate_parts import CandidatePart, CandidateParts, threshold_of
from tests.endcap.engine.rules.made_catalogue import made_candidates
from tests.properties import examples

COMPARISONS = st.sampled_from(["{0} > {1}", "{0} >= {1}", "{0} < {1}", "{0} <= {1}", "{0} = {1}", "{1} < {0}", "{1} >= {0}"])
CONSTANTS = st.floats(-10, 10, width=32).map(lambda value: f"{value:.9f}") | st.sampled_from(["0", "0.1", "-0.0", "1e-30", "999999", "0.3"])


@examples(80)
@given(comparison=COMPARISONS, constant=CONSTANTS, numbers=st.lists(st.floats(width=32, allow_nan=True), max_size=20))
def test_a_threshold_answers_as_polars_does(comparison: str, constant: str, numbers: list[float]) -> None:
    condition = pl.sql_expr(comparison.format("score", constant))
    threshold = threshold_of(condition)
    assert threshold is not None
    near = np.float32(float(constant))
    values = np.array([*numbers, near, np.nextafter(near, np.float32(1e9)), np.nextafter(near, np.float32(-1e9)), np.nan], dtype=np.float32)
    asked = pl.Series("score", values, nan_to_null=True).to_frame().select(condition.fill_null(False).alias("held"))["held"]
    assert threshold.of(values).tolist() == asked.to_list()


@given(comparison=COMPARISONS, constant=st.integers(-20, 20), position=st.integers(1, 20))
@examples(40)
def test_a_threshold_of_whole_numbers_answers_as_polars_does(comparison: str, constant: int, position: int) -> None:
    condition = pl.sql_expr(comparison.format("position", constant))
    threshold = threshold_of(condition)
    assert threshold is not None
    asked = pl.Series("position", [position], dtype=pl.Int32).to_frame().select(condition.alias("held"))["held"]
    assert threshold.of(np.array([position], dtype=np.int32)).tolist() == asked.to_list()


NO_THRESHOLDS = (
    *("score > position", "score + 1 > 2", "not (score > 1)", "score <> 1", "score is null", "abs(score) > 1", "score in (1, 2)"),
    *("position > 2.5", "position % 2 = 1", "score > 1e300", "score > 1e7", "position > 4000000000", "source = 'popular'", "bought_before"),
)


@pytest.mark.parametrize("text", NO_THRESHOLDS)
def test_whatever_is_no_plain_comparison_is_left_to_polars(text: str) -> None:
    assert threshold_of(pl.sql_expr(text)) is None


def test_parts_are_answered_by_slot_however_they_are_worked_out(items: ItemTable) -> None:
    texts = {
        0: "source = 'popular'",
        3: "not bought_before",
        4: "score > 0.5",
        7: "score > price / 10",
        9: "buy is null",
        11: "position % 2 = 1",
    }
    values = made_candidates(items, 3)
    parts = {slot: CandidatePart.of(pl.sql_expr(text)) for slot, text in texts.items()}
    assert [part.lookup is not None for part in parts.values()] == [True, True, False, False, False, False]
    assert [part.threshold is not None for part in parts.values()] == [False, False, True, False, False, False]
    for slot, held in CandidateParts(parts).answers(values).items():
        asked = values.frame(["source", "bought_before", "score", "price", "buy", "position"]).select(
            pl.sql_expr(texts[slot]).alias("held")
        )
        assert held.tolist() == asked["held"].fill_null(False).to_list(), texts[slot]
