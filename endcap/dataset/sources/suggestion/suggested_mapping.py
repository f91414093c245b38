"""A mapping to start from: what the files of a folder seem to be, each guess with its reason."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path
from typing import Any

import polars as pl

from endcap.core.errors import DataRejected
from endcap.core.yaml_document import read_yaml
from endcap.dataset.sources.columns.texts import as_text
from endcap.dataset.sources.columns.value_format import ValueFormat
from endcap.dataset.sources.mapping import Mapping
from endcap.dataset.sources.suggestion.column_guesses import TimeGuess, by_name, guess_time, is_number, is_unique
from endcap.dataset.sources.suggestion.file_looks import FileLook, look_at_files

_KINDS = {
    "product_view": ("view", "views", "click", "clicks", "pv", "productview", "detail", "viewitem", "viewcontent", "productclick"),
    "add_to_cart": ("cart", "carts", "addtocart", "add", "basket", "addcart"),
    "remove_from_cart": ("removefromcart", "remove", "unfav"),
    "purchase": ("purchase", "purchases", "buy", "order", "orders", "transaction", "sale", "kauf", "bought", "checkout"),
    "search": ("search", "suche"),
    "page_view": ("pageview", "page"),
}
"""Usual words for types of events, without case and signs."""

_KINDS_MAX = 20
_CURRENCIES = {"€": "EUR", "£": "GBP", "$": "USD", "¥": "JPY"}
_SEPARATORS = (" > ", " / ", "|", ">", "/", ";", ".")
_SEPARATED_MIN = 0.2
"""Share of categories with a sign between entries from which it is taken for the separator."""

_NUMBERS_MIN = 0.5
"""Share of orders that are plain numbers from which those with a letter in front are told apart."""

_GUESS = "GUESS"


@dataclass
class _Part:
    """Files that look the same, and what their columns may be."""

    looks: list[FileLook]
    found: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    time: TimeGuess | None = None
    numbers: dict[str, Any] = field(default_factory=dict)

    @property
    def sample(self) -> pl.DataFrame:
        return self.looks[0].sample

    def take(self, canonical: str, columns: Sequence[str], reason: str) -> None:
        free = [column for column in columns if column not in self.found.values()]
        if free:
            self.found[canonical] = free[0]
            self.reasons[canonical] = reason


def suggest_mapping(folder: Path) -> str:
    """The text of a mapping file that loads, with a comment for each guess; what the files cannot say is marked GUESS.

    Raises:
        DataRejected: no file has moments, items, and customers or visits.
    """
    looks, passed_over = look_at_files(folder)
    tables: dict[str, list[_Part]] = {"items": [], "users": [], "events": []}
    for part in _alike(looks):
        _look_for_columns(part)
        table = _table_of(part)
        if table is None or (table != "events" and tables[table]):
            reason = f"there are {table} already" if table else "it has no rows of a table; a lookup can take columns from it"
            passed_over |= {look.file.name: reason for look in part.looks}
        else:
            tables[table].append(part)
    if not tables["events"]:
        raise DataRejected(
            "no file has a moment, an item, and a customer or a visit in each row",
            field=str(folder),
            fix="write the mapping by hand, as docs/data.md shows",
        )
    text = "\n".join(_lines(folder, tables, passed_over)) + "\n"
    Mapping.model_validate(read_yaml(text, "the suggested mapping").value)
    return text


def _alike(looks: Sequence[FileLook]) -> list[_Part]:
    parts: dict[str, _Part] = {}
    for look in looks:
        key = json.dumps([look.file.ending, look.sample.columns, look.form], sort_keys=True)
        parts.setdefault(key, _Part([])).looks.append(look)
    return list(parts.values())


def _look_for_columns(part: _Part) -> None:
    columns = part.sample.columns
    times = {column: guess for column in columns if (guess := guess_time(part.sample[column]))}
    named = [column for column in by_name("occurred_at", columns) if column in times]
    if times:
        part.take("occurred_at", named or list(times), "named like a time" if named else "the only column with times")
        part.time = times[part.found["occurred_at"]]
    for canonical in (
        "item_id",
        "user_id",
        "session_id",
        "event_type",
        "title",
        "category_path",
        "brand",
        "store_id",
        "channel",
        "currency",
    ):
        part.take(canonical, by_name(canonical, columns), "by its name")
    signs = _currency_signs(part.sample, [*by_name("unit_price", columns), *by_name("line_total", columns)])
    written: tuple[dict[str, Any], ...] = ({}, {"decimal_comma": True}, {"thousands": ","})
    for form in [form | ({"currency_signs": signs} if signs else {}) for form in written]:
        mapped = ValueFormat(**form)
        for canonical in ("quantity", "unit_price", "line_total"):
            numeric = [column for column in by_name(canonical, columns) if is_number(part.sample[column], mapped)]
            if canonical not in part.found and numeric and (canonical != "line_total" or "unit_price" not in part.found):
                part.take(canonical, numeric, "by its name, and its values are numbers")
                part.numbers |= form


def _currency_signs(sample: pl.DataFrame, columns: Sequence[str]) -> list[str]:
    texts = [sample[column] for column in columns if sample[column].dtype == pl.String]
    return [sign for sign in _CURRENCIES if any(text.str.contains(sign, literal=True).any() for text in texts)]


def _table_of(part: _Part) -> str | None:
    found = part.found
    if "occurred_at" in found and "item_id" in found and ("user_id" in found or "session_id" in found):
        return "events"
    if "item_id" in found and is_unique(part.sample[found["item_id"]]):
        return "items"
    if "user_id" in found and "item_id" not in found and is_unique(part.sample[found["user_id"]]):
        return "users"
    return None


def _lines(folder: Path, tables: dict[str, list[_Part]], passed_over: dict[str, str]) -> Iterator[str]:
    events = tables["events"]
    yield "# Suggested from the first rows of each file. Look at every line, above all at those marked GUESS, before you import."
    for name, reason in passed_over.items():
        yield f"# Not used: {name}: {' '.join(reason.split())}"
    yield f"source: {_scalar(re.sub(r'[^A-Za-z0-9_-]+', '-', folder.resolve().name).strip('-') or 'shop')}"
    if any("currency" not in part.found and {"unit_price", "line_total"} & set(part.found) for part in events):
        signs = [sign for part in events for sign in part.numbers.get("currency_signs", ())]
        reason = f"prices have the sign {signs[0]}" if signs else "no column says what currency prices are in"
        yield f"currency: {_CURRENCIES[signs[0]] if signs else 'EUR'}  # {_GUESS}: {reason}"
    if any(part.time and part.time.needs_zone for part in events):
        yield f"time_zone: UTC  # {_GUESS}: times carry no zone; name the shop's, for example Europe/Berlin"
    yield "tables:"
    if tables["items"]:
        yield from _table("items", [list(_item_lines(tables["items"][0], is_lines=False))])
    else:
        yield f"  # {_GUESS}: no file has an item a row, so items are made from the lines of events"
        yield from _table("items", [list(_item_lines(events[0], is_lines=True))])
    if tables["users"]:
        yield from _table("users", [list(_user_lines(tables["users"][0]))])
    yield from _table("events", [list(_event_lines(part)) for part in events])


def _table(name: str, parts: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"  {name}:"
    for lines in parts:
        first, *rest = lines
        yield f"    - {first}" if len(parts) > 1 else f"    {first}"
        yield from (f"      {line}" if len(parts) > 1 else f"    {line}" for line in rest)


def _file_lines(part: _Part) -> Iterator[str]:
    names = [escape(look.file.name) for look in part.looks]
    yield f"files: {_scalar(names[0]) if len(names) == 1 else _list(names)}"
    for option, value in part.looks[0].form.items():
        written = _list(value) if isinstance(value, list) else _scalar(value)
        yield f"{option}: {written}  # {part.looks[0].reasons[option]}"


def _item_lines(part: _Part, *, is_lines: bool) -> Iterator[str]:
    yield from _file_lines(part)
    wanted: tuple[str, ...] = ("item_id", "title", "category_path", "brand", "currency")
    found = {name: part.found[name] for name in wanted if name in part.found}
    if "unit_price" in part.found:
        found["price"] = part.found["unit_price"]
    if is_lines:
        yield "one_row_an_id: true  # of all lines of an item, the newest title and price"
        found["created_at"] = part.found["occurred_at"]
        part.reasons["created_at"] = "the first line is when it came, the newest line is by it"
    yield from _options(part, found, moments=is_lines)
    yield from _column_lines(part, found)
    used = {*part.found.values()}
    others = [] if is_lines else [column for column in part.sample.columns if column not in used]
    if others:
        yield f"attributes: {_list(others)}  # whatever else the file says"


def _user_lines(part: _Part) -> Iterator[str]:
    yield from _file_lines(part)
    found = {"user_id": part.found["user_id"]}
    named = {name: by_name(name, part.sample.columns) for name in ("region", "age_band")}
    found |= {name: columns[0] for name, columns in named.items() if columns}
    yield from _column_lines(part, found)


def _event_lines(part: _Part) -> Iterator[str]:
    yield from _file_lines(part)
    wanted = ("occurred_at", "user_id", "session_id", "item_id", "event_type", "quantity", "unit_price", "currency", "store_id", "channel")
    found = {name: part.found[name] for name in wanted if name in part.found}
    kinds = _kinds(part) if "event_type" in found else {}
    if not kinds:
        found.pop("event_type", None)
    if "session_id" not in found:
        found["session_id"] = found["user_id"]
        part.reasons["session_id"] = f"{_GUESS}: no column names visits or orders"
    if "line_total" in part.found and "quantity" in found:
        yield f"line_total: {_scalar(part.found['line_total'])}  # {part.reasons['line_total']}"
    yield from _options(part, found, moments=True)
    yield from _column_lines(part, found)
    if kinds:
        yield "values:"
        yield f"  event_type: {{{', '.join(f'{_scalar(word)}: {kind}' for word, kind in kinds.items())}}}"
    returns = {} if kinds else _returns(part, found)
    if returns:
        yield f"returns: {{{', '.join(f'{name}: {_scalar(value)}' for name, value in returns.items())}}}  # some lines take something back"
    yield from _constant_lines(part, found, kinds)


def _returns(part: _Part, found: dict[str, str]) -> dict[str, str | int]:
    """Which lines are returns: those with a minus, and those of orders whose numbers begin with a letter where most are numbers."""
    rule: dict[str, str | int] = {}
    if "quantity" in found and as_text(part.sample[found["quantity"]]).str.contains(r"^-\s*[0-9]").any():
        rule["quantity_below"] = 0
    order = as_text(part.sample[found["session_id"]])
    numbers = int(order.str.contains(r"^[0-9]+$").sum())
    if rule and numbers > _NUMBERS_MIN * len(order) and order.str.contains(r"^C[0-9]+$").any():
        rule |= {"column": found["session_id"], "starts_with": "C"}
    return rule


def _constant_lines(part: _Part, found: dict[str, str], kinds: dict[str, str]) -> Iterator[str]:
    constants: dict[str, tuple[Any, str]] = {}
    if not kinds:
        bought = bool({"quantity", "unit_price", "line_total"} & set(part.found))
        constants["event_type"] = ("purchase" if bought else "product_view", f"{_GUESS}: no column says what happened")
    if "purchase" in {*kinds.values(), *(str(value) for value, _ in constants.values())} and "quantity" not in found:
        constants["quantity"] = (1, f"{_GUESS}: no column says how many")
    constants = {name: constant for name, constant in constants.items() if name not in found}
    if constants:
        yield "constants:"
        yield from (f"  {name}: {_scalar(value)}  # {reason}" for name, (value, reason) in constants.items())


def _options(part: _Part, found: dict[str, str], *, moments: bool) -> Iterator[str]:
    if moments and part.time and part.time.format:
        yield f"time_format: {json.dumps(part.time.format)}  # {part.time.reason}"
    if moments and part.time and part.time.unit:
        yield f"epoch_unit: {part.time.unit}  # {part.time.reason}"
    for option, value in part.numbers.items():
        yield f"{option}: {_list(value) if isinstance(value, list) else _scalar(value)}  # so all numbers of the sample read"
    if "category_path" in found:
        separator = _separator(part.sample[found["category_path"]])
        if separator:
            yield f"list_separator: {json.dumps(separator)}  # stands within categories"


def _column_lines(part: _Part, found: dict[str, str]) -> Iterator[str]:
    yield "columns:"
    for canonical, column in found.items():
        reason = part.reasons.get("unit_price" if canonical == "price" else canonical, "by its name")
        yield f"  {canonical}: {_scalar(column)}  # {reason}"


def _separator(column: pl.Series) -> str | None:
    if isinstance(column.dtype, pl.List):
        return None
    text = as_text(column).drop_nulls()
    return next((sign for sign in _SEPARATORS if text.str.contains(sign, literal=True).sum() > len(text) * _SEPARATED_MIN), None)


def _kinds(part: _Part) -> dict[str, str]:
    """The types of events in a column, by their words; none where it holds something else."""
    words = as_text(part.sample[part.found["event_type"]]).drop_nulls().unique().sort().to_list()
    plain = {word: re.sub(r"[^a-z]", "", word.lower()) for word in words}
    known = {word: kind for word, name in plain.items() for kind, names in _KINDS.items() if name in names or name == kind.replace("_", "")}
    if not known or len(words) > _KINDS_MAX:
        return {}
    part.reasons["event_type"] = "its values are types of events"
    unknown = [word for word in words if word not in known]
    if unknown:
        part.reasons["event_type"] += f"; {_GUESS}: give {', '.join(unknown)} a type in values, or leave them out with where"
    return known


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    is_plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*", value) and value.lower() not in ("true", "false", "null")
    return value if is_plain else json.dumps(value, ensure_ascii=False)


def _list(values: Sequence[str]) -> str:
    return f"[{', '.join(_scalar(value) for value in values)}]"
