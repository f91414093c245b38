"""Backward compatibility: a reader by the new schema takes all that a writer by the old one may have written.

What is not known to be compatible counts as a break. The order of questions is that of a value's parts: alternatives, type, bounds,
elements, fields.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from endcap.events.schemas.compatibility.bounds import AT_LEAST, AT_MOST, EXACT, value_breaks
from endcap.events.schemas.compatibility.breaks import VALUE, Break, below, element
from endcap.events.schemas.compatibility.expansion import ANYTHING, Schema, expanded

_JUDGED = frozenset(
    {
        *("type", "enum", "const", "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "uniqueItems"),
        *(keyword for keyword, _ in (*AT_LEAST, *AT_MOST)),
        *EXACT,
        *("items", "properties", "required", "additionalProperties"),
    }
)
_OTHERS = "*"
"""Stands in a path for fields that have no name in a schema."""


def breaks_between(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Break, ...]:
    """What readers by `new` refuse of what writers by `old` may have written; nothing where it is compatible.

    Args:
        old: a whole schema.
        new: another one.

    Raises:
        DataRejected: a schema refers to itself, or to what is not in it.
    """
    return tuple(_breaks(expanded(old), expanded(new), VALUE))


def breaks_of_any(older: Iterable[Mapping[str, Any]], new: Mapping[str, Any]) -> tuple[Break, ...]:
    """The same against each of the older schemas, each break once: BACKWARD_TRANSITIVE.

    Args:
        older: whole schemas, in the order of their release.
        new: a whole schema.

    Raises:
        DataRejected: a schema refers to itself, or to what is not in it.
    """
    return tuple(dict.fromkeys(found for old in older for found in breaks_between(old, new)))


def _breaks(old: Schema, new: Schema, path: str) -> Iterator[Break]:
    if old is False or _takes_all(old, new):
        return
    if new is False:
        yield Break(path, "is no longer allowed", "keep the field")
        return
    before, now = _alternatives(old), _alternatives(new)
    if len(now) < len(before):
        yield Break(path, "has fewer alternatives", "keep the alternatives")
    elif _is_choice(new) and not _is_choice(old) and not _may_become_a_choice(_whole(old)):
        fix = "keep its one type, and leave the field out where it has none"
        yield Break(path, "was of one type and is one of several alternatives", fix)
    else:
        yield from _choice_breaks([*map(_whole, before)], [*map(_whole, now)], path)


def _choice_breaks(before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]], path: str) -> Iterator[Break]:
    """Each alternative needs one of the new ones for itself, as registries ask; its own from before, if that is there."""
    if any(len({each.get("type") for each in side}) < len(side) for side in (before, now)):
        yield Break(
            path, "changed, and two of its alternatives are of one type, which is not judged", "leave the alternatives as they were"
        )
        return
    left = list(range(len(now)))
    for old in before:
        fitting = [place for place in left if not [*_branch_breaks(old, now[place], path)]]
        if fitting:
            left.remove(min(fitting, key=lambda place: not _is_same(old, now[place])))
        else:
            yield from _refusals(old, now, path)


def _refusals(old: Mapping[str, Any], alternatives: Sequence[Mapping[str, Any]], path: str) -> Sequence[Break]:
    """Why the likeliest of the alternatives does not take all of `old`."""
    likely = [new for new in alternatives if new.get("type") == old.get("type")] or (alternatives if len(alternatives) == 1 else [])
    found = [found for new in likely for found in _branch_breaks(old, new, path)]
    return found or [Break(path, f"no longer takes {_type_said(old)} by itself", "keep the type among those that are allowed")]


def _branch_breaks(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[Break]:
    if _takes_all(old, new):
        return
    if strange := sorted(_not_judged(old) | _not_judged(new)):
        keywords = ", ".join(f"`{keyword}`" for keyword in strange)
        yield Break(path, f"{keywords} changed, or stands beside what did, and is not judged", "leave it as it was")
        return
    if not _takes_type(old, new):
        yield Break(path, f"was {_type_said(old)} and is {_type_said(new)}", "keep the type, or allow both")
        return
    yield from value_breaks(old, new, path)
    if "items" in new:
        yield from _breaks(old.get("items", ANYTHING), new["items"], element(path))
    yield from _object_breaks(old, new, path)


def _object_breaks(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[Break]:
    for name in sorted({*new.get("required", ())} - {*old.get("required", ())}):
        yield Break(below(path, name), "is required, and what was written before may lack it", "give it a default")
    for name in sorted({*old.get("properties", {}), *new.get("properties", {})}):
        before, now = _field(old, name), _field(new, name)
        if now is False and before is not False:
            yield Break(below(path, name), "was removed, and what was written before may have it", "keep the field, optional")
        elif name not in old.get("properties", {}) and before is not False:
            what = "is new in a model that takes unknown fields, so that what was written before may have it"
            yield Break(below(path, name), what, "refuse unknown fields from the first version on, or leave the field among them")
        else:
            yield from _breaks(before, now, below(path, name))
    yield from _breaks(_others(old), _others(new), below(path, _OTHERS))


def _takes_all(old: Schema, new: Schema) -> bool:
    """Whether it needs no further look."""
    return new == ANYTHING or _is_same(old, new)


def _is_same(old: Schema, new: Schema) -> bool:
    """Whether both are the same JSON; in Python 1 is True."""
    return json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True)


def _not_judged(schema: Mapping[str, Any]) -> set[str]:
    # A list of schemas is for elements by their place.
    return {*schema} - _JUDGED | ({"items"} if isinstance(schema.get("items"), list) else set())


def _field(schema: Mapping[str, Any], name: str) -> Schema:
    """What a field may be, whether or not the schema names it."""
    found: Schema = schema.get("properties", {}).get(name, _others(schema))
    return found


def _others(schema: Mapping[str, Any]) -> Schema:
    found: Schema = schema.get("additionalProperties", ANYTHING)
    return found


def _is_choice(schema: Schema) -> bool:
    """Whether a schema is nothing but its alternatives."""
    return isinstance(schema, Mapping) and schema.keys() == {"anyOf"}


def _alternatives(schema: Schema) -> list[Schema]:
    """The branches of a choice; else the schema itself."""
    if isinstance(schema, Mapping) and _is_choice(schema):
        return [branch for branch in schema["anyOf"] if branch is not False]
    return [schema]


def _may_become_a_choice(schema: Mapping[str, Any]) -> bool:
    """Registries take it of texts and counted values alone, though of others no value would be refused either."""
    return schema.get("type") == "string" or ("type" in schema and not schema.keys().isdisjoint({"enum", "const"}))


def _whole(schema: Schema) -> Mapping[str, Any]:
    return schema if isinstance(schema, Mapping) else {}


def _takes_type(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    before, now = old.get("type"), new.get("type")
    return before == now or (before, now) == ("integer", "number")


def _type_said(schema: Mapping[str, Any]) -> str:
    return str(schema.get("type", "any type"))
