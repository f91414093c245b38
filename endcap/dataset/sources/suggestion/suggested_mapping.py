"""A mapping to start from: which files of a folder are which table, and what they take from others."""

from collections.abc import Sequence
from pathlib import Path

from endcap.core.errors import DataRejected
from endcap.core.yaml_document import read_yaml
from endcap.dataset.sources.mapping import Mapping
from endcap.dataset.sources.suggestion.column_guesses import by_name, is_unique
from endcap.dataset.sources.suggestion.file_looks import look_at_files
from endcap.dataset.sources.suggestion.headers import with_names
from endcap.dataset.sources.suggestion.lookup_guesses import look_up_names, look_up_orders
from endcap.dataset.sources.suggestion.mapping_lines import mapping_lines
from endcap.dataset.sources.suggestion.part import Part, alike


def suggest_mapping(folder: Path) -> str:
    """The text of a mapping file that loads, with a comment for each guess; what the files cannot say is marked GUESS.

    Raises:
        DataRejected: no file has moments, items, and customers or visits.
    """
    looks, passed_over = look_at_files(folder)
    parts = alike([with_names(look) for look in looks])
    tables = _tables(parts)
    if not tables["events"]:
        raise DataRejected(
            "no file has a moment, an item, and a customer or a visit in each row, alone or with another file beside it",
            field=str(folder),
            fix="write the mapping by hand, as docs/data.md shows",
        )
    used = [part for members in tables.values() for part in members]
    used += [lookup.part for part in used for lookup in part.lookups]
    passed_over |= {look.file.name: _why(part, tables) for part in parts if part not in used for look in part.looks}
    text = "\n".join(mapping_lines(folder, tables, passed_over)) + "\n"
    Mapping.model_validate(read_yaml(text, "the suggested mapping").value)
    return text


def _tables(parts: Sequence[Part]) -> dict[str, list[Part]]:
    """The parts of each table, with what they take from others."""
    events = [part for part in parts if _has_events(part)]
    others = [part for part in parts if part not in events]
    for part in others:
        if "item_id" in part.found:
            look_up_orders(part, [other for other in others if "item_id" not in other.found])
    events += [part for part in others if _has_events(part)]
    orders = [lookup.part for part in events for lookup in part.lookups]
    others = [part for part in others if part not in events and part not in orders]
    items = sorted((part for part in others if _is_a_row_each(part, "item_id")), key=_says, reverse=True)[:1]
    for part in items:
        look_up_names(part, [other for other in others if other is not part])
    names = [lookup.part for part in items for lookup in part.lookups]
    people = [part for part in others if _is_a_row_each(part, "user_id") and part not in names and "item_id" not in part.found]
    return {"items": items, "users": sorted(people, key=_says_of_people, reverse=True)[:1], "events": events}


def _has_events(part: Part) -> bool:
    return {"occurred_at", "item_id"} <= set(part.found) and bool({"user_id", "session_id"} & set(part.found))


def _is_a_row_each(part: Part, key: str) -> bool:
    return key in part.found and is_unique(part.sample[part.found[key]])


def _says(part: Part) -> tuple[bool, int, int]:
    """How much a part says of items."""
    return "title" in part.found, len(part.found), len(part.sample.columns)


def _says_of_people(part: Part) -> tuple[int, int]:
    return sum(bool(by_name(name, part.sample.columns)) for name in ("region", "age_band")), len(part.sample.columns)


def _why(part: Part, tables: dict[str, list[Part]]) -> str:
    """Why a part is not used."""
    table = "items" if _is_a_row_each(part, "item_id") else "users" if _is_a_row_each(part, "user_id") else None
    if table and tables[table]:
        return f"there are {table} already"
    return "it has no rows of a table; a lookup can take columns from it"
