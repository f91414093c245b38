"""Numbers as shops write them."""

from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from endcap.dataset.sources.columns.number_texts import plain_numbers
from endcap.dataset.sources.columns.value_format import ValueFormat
from tests.properties import examples

NO_BREAK_SPACES = ["\u00a0", "\u202f", "\u2009"]


def read(text: str, **options: Any) -> float | None:
    return plain_numbers(pl.Series([text]), ValueFormat(**options)).cast(pl.Float64, strict=False).item()


@pytest.mark.parametrize(
    ("text", "options", "number"),
    [
        ("1.234,50", {"decimal_comma": True}, 1234.5),
        ("1234,5", {"decimal_comma": True}, 1234.5),
        ("12.50", {"decimal_comma": True}, None),
        ("1.5", {"decimal_comma": True}, None),
        ("1.500", {"decimal_comma": True}, 1500),
        ("1.2345", {"decimal_comma": True}, None),
        ("1234.567,8", {"decimal_comma": True}, None),
        ("1,234.50", {"decimal_comma": True}, None),
        ("1,234.50", {}, None),
        ("1,234.50", {"thousands": ","}, 1234.5),
        ("12,50", {"thousands": ","}, None),
        ("1,2,3", {"thousands": ","}, None),
        ("1234.5", {"thousands": ","}, 1234.5),
        ("1'234.50", {"thousands": "'"}, 1234.5),
        ("1\u2019234.50", {"thousands": "'"}, 1234.5),
        ("1 234,50", {"thousands": " ", "decimal_comma": True}, 1234.5),
        ("1.234,50", {"thousands": " ", "decimal_comma": True}, None),
        ("-1,234", {"thousands": ","}, -1234),
        ("\u2212,5", {"decimal_comma": True}, -0.5),
        ("12,50 \u20ac", {"decimal_comma": True, "currency_signs": "\u20ac"}, 12.5),
        ("\u20ac12.50", {"currency_signs": ["\u20ac", "EUR"]}, 12.5),
        ("EUR -12.50", {"currency_signs": ["\u20ac", "EUR"]}, -12.5),
        ("-$1,234.50", {"currency_signs": "$", "thousands": ","}, -1234.5),
        ("R$ 5", {"currency_signs": ["R$", "$"]}, 5),
        ("\u00a35", {"currency_signs": "\u20ac"}, None),
        ("--5", {"currency_signs": "$"}, None),
        ("-$-5", {"currency_signs": "$"}, None),
        ("$", {"currency_signs": "$"}, None),
        ("1e3", {"thousands": ","}, 1000),
        ("5,", {"decimal_comma": True}, 5),
        (",", {"decimal_comma": True}, None),
        ("", {"decimal_comma": True}, None),
        *[(f"1{blank}234{blank}567", {"thousands": " "}, 1_234_567) for blank in [" ", *NO_BREAK_SPACES]],
        *[("1\u202f234", {"thousands": blank}, 1234) for blank in NO_BREAK_SPACES],
    ],
)
def test_digits_group_in_threes_or_are_no_number(text: str, options: dict[str, Any], number: float | None) -> None:
    assert read(text, **options) == number


@given(
    st.decimals(-(10**12), 10**12, places=3),
    st.booleans(),
    st.sampled_from([None, ",", ".", "'", " ", *NO_BREAK_SPACES]),
    st.sampled_from(["", "\u20ac", "CHF", "kr."]),
    st.booleans(),
)
@examples(200)
def test_any_number_written_in_any_form_reads_back(
    number: Decimal, decimal_comma: bool, thousands: str | None, sign: str, before: bool
) -> None:
    decimal = "," if decimal_comma else "."
    if thousands == decimal:
        with pytest.raises(ValidationError, match="stands before the decimals already"):
            ValueFormat(decimal_comma=decimal_comma, thousands=thousands)
        return
    whole, fraction = f"{abs(number):,.3f}".split(".")
    written = whole.replace(",", thousands or "") + decimal + fraction
    written = f"{sign} {written}".strip() if before else f"{written} {sign}".strip()
    written = f"-{written}" if number < 0 else written
    assert read(written, decimal_comma=decimal_comma, thousands=thousands, currency_signs=[sign] if sign else []) == float(number)
