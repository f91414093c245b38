"""Which files add columns to another's rows: orders beside their lines, names of categories beside items."""

import re
from collections.abc import Iterable, Iterator, Sequence

from endcap.dataset.sources.columns.texts import as_text
from endcap.dataset.sources.suggestion.column_guesses import by_name, is_unique, is_whole, plain_name
from endcap.dataset.sources.suggestion.file_looks import SAMPLE_ROWS
from endcap.dataset.sources.suggestion.part import LookupGuess, Part

MADE_MOMENT = "ordered_at"
"""The column that is made where orders know only the days between them."""

_COVERED_MIN = 0.8
"""Share of the lines whose order must be in a file of orders."""

_OF_EVENTS = ("occurred_at", "user_id", "session_id", "event_type", "store_id", "channel", "currency")
_OF_ITEMS = ("title", "category_path", "brand", "unit_price")
_ORDER_NUMBERS = r"(order|visit|purchase)?(number|no|nr|sequence|seq|index|rank)"
_DAYS_BETWEEN = r"dayssince.*|dayssincelast.*|daysbetween.*|gapdays|daygap"


def look_up_orders(lines: Part, others: Iterable[Part]) -> None:
    """Give lines of orders the moment, the customer and what else they lack from files with an order a row."""
    for other in others:
        for on in _keys(lines, other):
            if on == lines.found.get("item_id") or not _covers(other, lines, on):
                continue
            lacking = {
                name: column for name, column in other.found.items() if name in _OF_EVENTS and name not in lines.found and column != on
            }
            moments = _order_moments(other) if "occurred_at" not in {*lines.found, *lacking} else None
            if not (moments or {"occurred_at", "user_id"} & set(lacking)):
                continue
            _give(lines, other, on, lacking, moments)
            lines.take("session_id", [on], "names the order of a line")
            break


def look_up_names(items: Part, others: Iterable[Part]) -> list[Part]:
    """Give items what they lack from files with an item a row, and names of categories and brands from files with one of these a row.

    Returns: the parts that are looked up.
    """
    used, categories = [], {}
    for other in others:
        for on in _keys(items, other):
            if on == items.found["item_id"]:
                lacking = {name: column for name, column in other.found.items() if name in _OF_ITEMS and name not in items.found}
                if lacking:
                    _give(items, other, on, lacking, None)
                    used.append(other)
                break
            meant = next((name for name in ("brand", "category_path") if _is_called(on, name)), None)
            columns = [column for column in other.sample.columns if column != on]
            named = [*by_name("category_path", columns), *by_name("title", columns), *columns[:1]]
            if meant is None or not named or any(re.match("parent", plain_name(column)) for column in other.sample.columns):
                continue
            (taken,) = _give(items, other, on, {"": named[0]}, None)
            used.append(other)
            if meant == "brand":
                items.found["brand"] = taken
            else:
                categories[taken] = items.sample[on].n_unique()
            items.reasons[meant] = "its name is in a file of its own"
            break
    if categories:
        items.found.pop("category_path", None)
        items.path = sorted(categories, key=lambda column: categories[column])
    return used


def _covers(other: Part, part: Part, on: str) -> bool:
    """Whether a file that was read whole has most of the ids that the part names; of a longer one nobody knows."""
    if len(other.sample) >= SAMPLE_ROWS:
        return True
    named = as_text(part.sample[on]).drop_nulls()
    return bool(named.is_in(as_text(other.sample[on]).drop_nulls().implode()).sum() >= _COVERED_MIN * len(named))


def _keys(part: Part, other: Part) -> Iterator[str]:
    """Columns of both of which the other has every value once."""
    yield from (name for name in part.sample.columns if name in other.sample.columns and is_unique(other.sample[name]))


def _give(part: Part, other: Part, on: str, lacking: dict[str, str], moments: dict[str, str] | None) -> list[str]:
    """Note the lookup, and the columns as found; those that the part has a column of the same name of get another one."""
    given = {}
    for canonical, column in lacking.items():
        name = column
        while name in part.sample.columns or name in given:
            name = f"{on}_{name}"
        given[name] = column
        if canonical:
            part.found[canonical] = name
            part.reasons[canonical] = f"taken from the file that says more of {on}"
    if moments:
        part.found["occurred_at"] = MADE_MOMENT
        part.reasons["occurred_at"] = "made from the days between the orders"
    elif "occurred_at" in lacking:
        part.time, part.clock, part.numbered_days = other.time, other.clock, other.numbered_days
        if other.clock:
            given[other.clock] = other.clock
    part.lookups.append(LookupGuess(other, on, given, moments))
    return list(given)


def _order_moments(orders: Part) -> dict[str, str] | None:
    """The columns from which moments can be made, where orders know only the days since the person's last one."""
    columns = orders.sample.columns
    number = _called(columns, _ORDER_NUMBERS)
    days = _called(columns, _DAYS_BETWEEN)
    if "user_id" not in orders.found or not number or not days:
        return None
    moments = {"as": MADE_MOMENT, "person": orders.found["user_id"], "number": number[0], "days": days[0]}
    for option, pattern, most in (("hour", ".*hour.*", 23), ("weekday", ".*(dow|weekday|dayofweek).*", 6)):
        fitting = [column for column in _called(columns, pattern) if is_whole(orders.sample[column], 0, most)]
        if fitting:
            moments[option] = fitting[0]
    return moments


def _called(columns: Sequence[str], pattern: str) -> list[str]:
    return [column for column in columns if re.fullmatch(pattern, plain_name(column))]


def _is_called(column: str, canonical: str) -> bool:
    """Whether a column, or what it is the id of, is meant by its name."""
    without_id = re.sub(r"(id|code|key|nr|no)$", "", plain_name(column))
    return bool(by_name(canonical, [column]) or by_name(canonical, [without_id]))
