"""Names for the columns of files without a header, as far as their values and the file's name say what they are."""

from dataclasses import replace

import polars as pl

from endcap.dataset.sources.columns.texts import as_text
from endcap.dataset.sources.columns.value_format import ValueFormat
from endcap.dataset.sources.suggestion.column_guesses import guess_time, is_number, is_unique
from endcap.dataset.sources.suggestion.file_looks import FileLook
from endcap.dataset.sources.suggestion.words import holds, kind_in_name

_RATING_MAX = 10
_GUESSED = "GUESS: the first line looks like a row, so the names are made up; look whether each is what it is called"


def with_names(look: FileLook) -> FileLook:
    """The look with names that say what the columns are, where the file has no header and something can be said."""
    header = look.form.get("header")
    if not header:
        return look
    names = _names(look)
    if not names:
        return look
    written = [names.get(column, column) for column in header]
    return replace(
        look,
        form=look.form | {"header": written},
        reasons=look.reasons | {"header": _GUESSED},
        sample=look.sample.rename(dict(zip(header, written, strict=True))),
    )


def _names(look: FileLook) -> dict[str, str]:
    sample, what = look.sample, holds(look.file.name)
    times = [column for column in sample.columns if guess_time(sample[column])]
    others = [column for column in sample.columns if column not in times]
    if len(times) == 1 and len(others) > 1 and (what == "ratings" or kind_in_name(look.file.name)):
        names = {times[0]: "time", others[0]: _who(look, others[0], times[0]), others[1]: "item"}
        ratings = [column for column in others[2:] if _may_be_ratings(sample[column])]
        return names | ({ratings[0]: "rating"} if what == "ratings" and ratings else {})
    if what in ("items", "users") and is_unique(sample[sample.columns[0]]):
        names = {sample.columns[0]: "item" if what == "items" else "user"}
        texts = [column for column in sample.columns[1:] if not is_number(sample[column], ValueFormat())]
        return names | (dict(zip(texts, ("title", "category"), strict=False)) if what == "items" else {})
    return {}


def _who(look: FileLook, column: str, time: str) -> str:
    """Visits stay within a day; what does not, or rates, is a person."""
    if holds(look.file.name) == "ratings":
        return "user"
    days = pl.DataFrame({"who": as_text(look.sample[column]), "day": as_text(look.sample[time]).str.head(len("2026-03-01"))})
    return "session" if days.group_by("who").agg(pl.col("day").n_unique())["day"].max() == 1 else "user"


def _may_be_ratings(column: pl.Series) -> bool:
    number = as_text(column).cast(pl.Float64, strict=False)
    return number.null_count() == 0 and bool(number.is_between(0, _RATING_MAX).all())
