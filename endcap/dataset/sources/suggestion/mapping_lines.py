"""The lines of a suggested mapping, each guess with its reason as a comment."""

import re
from collections.abc import Iterator, Sequence
from glob import escape
from pathlib import Path
from typing import Any

import polars as pl

from endcap.dataset.sources.columns.texts import as_text
from endcap.dataset.sources.suggestion.column_guesses import by_name
from endcap.dataset.sources.suggestion.part import CURRENCIES, LookupGuess, Part
from endcap.dataset.sources.suggestion.words import holds, kind_of
from endcap.dataset.sources.suggestion.written import flow, listed, scalar, sql_name

_KINDS_MAX = 20
_SEPARATORS = (" > ", " / ", "|", ">", "/", ";", ".")
_SEPARATED_MIN = 0.2
"""Share of categories with a sign between entries from which it is taken for the separator."""

_NUMBERS_MIN = 0.5
"""Share of orders that are plain numbers from which those with a letter in front are told apart."""

_LIKED = 0.8
"""Share of the highest rating from which one counts as a purchase."""

_CUTS = {"title": (256, 512), "category_path": (0, 8), "brand": (64, 128)}
"""By column, the length of a text of the sample from which it is cut, and to what; of a path, the entries."""

_FIRST_DAY, _LAST_DAY = "2010-01-01", "2024-12-31"
_GUESS = "GUESS"


def mapping_lines(folder: Path, tables: dict[str, list[Part]], passed_over: dict[str, str]) -> Iterator[str]:
    """The whole file.

    Args:
        folder: the imported folder, whose name becomes the source's.
        tables: the parts of each table.
        passed_over: by file that is not used, why.
    """
    events = tables["events"]
    yield "# Suggested from the first rows of each file. Look at every line, above all at those marked GUESS, before you import."
    for name, reason in passed_over.items():
        yield f"# Not used: {name}: {' '.join(reason.split())}"
    yield f"source: {scalar(re.sub(r'[^A-Za-z0-9_-]+', '-', folder.resolve().name).strip('-') or 'shop')}"
    if any("currency" not in part.found and {"unit_price", "line_total"} & set(part.found) for part in events):
        signs = [sign for part in events for sign in part.numbers.get("currency_signs", ())]
        reason = f"prices have the sign {signs[0]}" if signs else "no column says what currency prices are in"
        yield f"currency: {CURRENCIES[signs[0]] if signs else 'EUR'}  # {_GUESS}: {reason}"
    if any(part.time.needs_zone if part.time else True for part in events):
        yield f"time_zone: UTC  # {_GUESS}: times carry no zone; name the shop's, for example Europe/Berlin"
    yield "tables:"
    if tables["items"]:
        yield from _table("items", [list(_item_lines(tables["items"][0]))])
    else:
        yield f"  # {_GUESS}: no file has an item a row, so items are made from the lines of events"
        yield from _table("items", [list(_lines_of_items(part)) for part in events])
    if tables["users"]:
        yield from _table("users", [list(_user_lines(tables["users"][0]))])
    yield from _table("events", [list(_event_lines(part)) for part in events])


def _table(name: str, parts: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"  {name}:"
    for lines in parts:
        first, *rest = lines
        yield f"    - {first}" if len(parts) > 1 else f"    {first}"
        yield from (f"      {line}" if len(parts) > 1 else f"    {line}" for line in rest)


def _file_lines(part: Part, lookups: Sequence[LookupGuess]) -> Iterator[str]:
    yield f"files: {_names(part)}"
    for option, value in part.looks[0].form.items():
        yield f"{option}: {flow(value)}  # {part.looks[0].reasons[option]}"
    if lookups:
        yield "lookup:"
        for lookup in lookups:
            yield from _lookup_lines(lookup)


def _names(part: Part) -> str:
    names = [escape(look.file.name) for look in part.looks]
    return scalar(names[0]) if len(names) == 1 else listed(names)


def _lookup_lines(lookup: LookupGuess) -> Iterator[str]:
    form = {option: flow(value) for option, value in lookup.part.looks[0].form.items()}
    options = {"files": _names(lookup.part), **form, "on": scalar(lookup.on)}
    if lookup.columns:
        plain = all(name == column for name, column in lookup.columns.items())
        options["columns"] = listed([*lookup.columns]) if plain else flow(lookup.columns)
    if lookup.moments is None:
        yield f"  - {{{', '.join(f'{name}: {value}' for name, value in options.items())}}}"
        return
    first, *rest = options.items()
    yield f"  - {first[0]}: {first[1]}"
    yield from (f"    {name}: {value}" for name, value in rest)
    yield "    moments:"
    yield from (f"      {name}: {scalar(value)}" for name, value in lookup.moments.items())
    yield f"      last_day: {_LAST_DAY}  # {_GUESS}: made up, since the files have no dates; the days between orders are kept"


def _item_lines(part: Part) -> Iterator[str]:
    yield from _file_lines(part, part.lookups)
    found = _found(part, ("item_id", "title", "category_path", "brand", "currency"))
    if "unit_price" in part.found:
        found["price"] = part.found["unit_price"]
    yield from _options(part, found, moments=False)
    yield from _column_lines(part, found)
    used = {*found.values(), *part.path, *(lookup.on for lookup in part.lookups)}
    others = [column for column in part.sample.columns if column not in used]
    if others:
        yield f"attributes: {listed(others)}  # whatever else the file says"


def _lines_of_items(part: Part) -> Iterator[str]:
    """Items from the lines of events."""
    own = {name: column for name, column in part.found.items() if column in part.sample.columns}
    yield from _file_lines(part, ())
    yield "one_row_an_id: true  # of all lines of an item, the newest title and price"
    found: dict[str, str] = {name: own[name] for name in ("item_id", "title", "category_path", "brand", "currency") if name in own}
    if "unit_price" in own:
        found["price"] = own["unit_price"]
    if "occurred_at" in own:
        found["created_at"] = own["occurred_at"]
        part.reasons["created_at"] = "the first line is when it came, the newest line is by it"
    yield from _options(part, found, moments="created_at" in found)
    yield from _column_lines(part, found)


def _user_lines(part: Part) -> Iterator[str]:
    yield from _file_lines(part, ())
    found = {"user_id": part.found["user_id"]}
    named = {name: by_name(name, part.sample.columns) for name in ("region", "age_band")}
    found |= {name: columns[0] for name, columns in named.items() if columns}
    yield from _column_lines(part, found)


def _event_lines(part: Part) -> Iterator[str]:
    yield from _file_lines(part, part.lookups)
    wanted = ("occurred_at", "user_id", "session_id", "item_id", "event_type", "quantity", "unit_price", "currency", "store_id", "channel")
    found = _found(part, wanted)
    words = _words(part) if "event_type" in found else []
    kinds = {word: kind for word in words if (kind := kind_of(word))}
    if not kinds:
        found.pop("event_type", None)
    if "session_id" not in found:
        found["session_id"] = found["user_id"]
        part.reasons["session_id"] = f"{_GUESS}: no column names visits or orders"
    liked = None if kinds else _liked(part)
    yield from _where_lines(found, words, kinds, liked)
    if "line_total" in part.found and "quantity" in found:
        yield f"line_total: {scalar(part.found['line_total'])}  # {part.reasons['line_total']}"
    yield from _options(part, found, moments=True)
    yield from _column_lines(part, found)
    if kinds:
        yield "values:"
        yield f"  event_type: {{{', '.join(f'{scalar(word)}: {kind}' for word, kind in kinds.items())}}}"
    returns = {} if kinds else _returns(part, found)
    if returns:
        yield f"returns: {flow(returns)}  # some lines take something back"
    yield from _constant_lines(part, found, kinds, liked is not None)


def _where_lines(found: dict[str, str], words: Sequence[str], kinds: dict[str, str], liked: str | None) -> Iterator[str]:
    unknown = [word for word in words if word not in kinds]
    if unknown:
        among = ", ".join("'" + word.replace("'", "''") + "'" for word in kinds)
        condition = f"{sql_name(found['event_type'])} in ({among})"
        yield f"where: {scalar(condition)}  # {_GUESS}: leaves out {', '.join(unknown)}; or give it a type in values"
    elif liked:
        yield f"where: {scalar(liked)}  # {_GUESS}: what was rated so counts as a purchase"


def _words(part: Part) -> list[str]:
    """The words of a column that may be types of events; none where it holds something else."""
    words: list[str] = as_text(part.values("event_type")).drop_nulls().unique().sort().to_list()
    if len(words) > _KINDS_MAX or not any(kind_of(word) for word in words):
        return []
    part.reasons["event_type"] = "its values are types of events"
    return words


def _liked(part: Part) -> str | None:
    """The condition on a rating that counts as a purchase, in files of ratings."""
    column = part.found.get("rating")
    bought = {"quantity", "unit_price", "line_total"} & set(part.found)
    if column is None or bought or column not in part.sample.columns or (part.kind and holds(part.looks[0].file.name) != "ratings"):
        return None
    highest = as_text(part.sample[column]).cast(pl.Float64, strict=False).max()
    return f"{sql_name(column)} >= {_LIKED * float(str(highest)):g}"


def _returns(part: Part, found: dict[str, str]) -> dict[str, str | int]:
    """Which lines are returns: those with a minus, and those of orders whose numbers begin with a letter where most are numbers."""
    rule: dict[str, str | int] = {}
    if "quantity" in found and as_text(part.values("quantity")).str.contains(r"^-\s*[0-9]").any():
        rule["quantity_below"] = 0
    order = as_text(part.sample[found["session_id"]]) if found["session_id"] in part.sample.columns else pl.Series([], dtype=pl.String)
    numbers = int(order.str.contains(r"^[0-9]+$").sum())
    if rule and numbers > _NUMBERS_MIN * len(order) and order.str.contains(r"^C[0-9]+$").any():
        rule |= {"column": found["session_id"], "starts_with": "C"}
    return rule


def _constant_lines(part: Part, found: dict[str, str], kinds: dict[str, str], is_liked: bool) -> Iterator[str]:
    constants: dict[str, tuple[Any, str]] = {}
    if not kinds:
        bought = is_liked or bool({"quantity", "unit_price", "line_total"} & set(part.found))
        kind = part.kind or ("purchase" if bought else "product_view")
        constants["event_type"] = (kind, f"{_GUESS}: {'the name of the file says so' if part.kind else 'no column says what happened'}")
    if "purchase" in {*kinds.values(), *(str(value) for value, _ in constants.values())} and "quantity" not in found:
        constants["quantity"] = (1, f"{_GUESS}: no column says how many")
    if constants:
        yield "constants:"
        yield from (f"  {name}: {scalar(value)}  # {reason}" for name, (value, reason) in constants.items())


def _options(part: Part, found: dict[str, str], *, moments: bool) -> Iterator[str]:
    if moments and part.numbered_days:
        yield f"first_day: {_FIRST_DAY}  # {_GUESS}: made up; no file says which day has the number 1"
    if moments and part.time and part.time.format:
        yield f"time_format: {flow(part.time.format)}  # {part.time.reason}"
    if moments and part.time and part.time.unit:
        yield f"epoch_unit: {part.time.unit}  # {part.time.reason}"
    for option, value in part.numbers.items():
        yield f"{option}: {flow(value)}  # so all numbers of the sample read"
    if "category_path" in found:
        separator = _separator(part)
        if separator:
            yield f"list_separator: {flow(separator)}  # stands within categories"


def _found(part: Part, names: Sequence[str]) -> dict[str, str]:
    return {name: part.found[name] for name in names if name in part.found}


def _column_lines(part: Part, found: dict[str, str]) -> Iterator[str]:
    yield "columns:"
    for canonical, column in found.items():
        reason = part.reasons.get("unit_price" if canonical == "price" else canonical, "by its name")
        yield f"  {canonical}: {_source(part, found, canonical, column)}  # {reason}"
    if part.path and "item_id" in found and "occurred_at" not in found:
        yield f"  category_path: {listed(part.path)}  # {part.reasons['category_path']}"


def _source(part: Part, found: dict[str, str], canonical: str, column: str) -> str:
    if canonical in ("occurred_at", "created_at") and part.clock:
        return listed([column, part.clock])
    values = part.values(canonical) if canonical in part.found else part.sample[column]
    if canonical == "session_id" and "user_id" in found and column != found["user_id"] and as_text(values).replace("", None).null_count():
        return flow({"from": column, "else": found["user_id"]})
    long, most = _CUTS.get(canonical, (0, 0))
    if canonical == "category_path" and (isinstance(values.dtype, pl.List) or _separator(part)):
        return flow({"from": column, "cut": most})
    if most and canonical != "category_path" and (as_text(values).str.len_chars().max() or 0) > long:  # type: ignore[operator]
        return flow({"from": column, "cut": most})
    return scalar(column)


def _separator(part: Part) -> str | None:
    column = part.values("category_path")
    if isinstance(column.dtype, pl.List):
        return None
    text = as_text(column).drop_nulls()
    return next((sign for sign in _SEPARATORS if text.str.contains(sign, literal=True).sum() > len(text) * _SEPARATED_MIN), None)
