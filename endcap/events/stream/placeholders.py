"""Ids that stand for none, in whole columns; the same as in `endcap.contracts.placeholder_ids`."""

import polars as pl

from endcap.contracts.placeholder_ids import LONGEST_PLACEHOLDER, NO_PERSON_WORDS, NO_VALUE_WORDS, ZEROS

_SPACES = "[\\s\x1c-\x1f\x85]+"
"""What Python strips and Rust's `\\s` does not know all of."""


def stands_for_no_item(column: str) -> pl.Expr:
    """Whether an item's id stands for none; false where there is none."""
    is_word = _word(column).is_in(list(NO_VALUE_WORDS))
    return (_is_short(column) & is_word).fill_null(False)


def stands_for_no_person(column: str) -> pl.Expr:
    """Whether the id of a user or a visit stands for none; false where there is none."""
    word = _word(column)
    is_word = word.is_in(list(NO_VALUE_WORDS | NO_PERSON_WORDS)) | word.str.contains(f"^(?:{ZEROS.pattern})$")
    return (_is_short(column) & is_word).fill_null(False)


def _word(column: str) -> pl.Expr:
    return pl.col(column).str.replace(f"^{_SPACES}", "").str.replace(f"{_SPACES}$", "").str.to_lowercase()


def _is_short(column: str) -> pl.Expr:
    return pl.col(column).str.len_chars() <= LONGEST_PLACEHOLDER
