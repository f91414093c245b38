"""Bounds of single values: numbers, lengths, patterns and the values of an enumeration."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from endcap.events.schemas.compatibility.breaks import Break

AT_LEAST = (("minLength", "shortest text"), ("minItems", "fewest elements"))
AT_MOST = (("maxLength", "longest text"), ("maxItems", "most elements"))
EXACT = ("format", "pattern", "multipleOf")
"""Keywords of which only their absence, or the same value, is known to take as much."""

_WIDEN = "leave the bound as wide as it was"


def value_breaks(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[Break]:
    """What the new bounds refuse of what the old ones allow."""
    yield from _enumeration(old, new, path)
    yield from _limits(old, new, path)
    for keyword, called in AT_LEAST:
        before, now = old.get(keyword), new.get(keyword)
        if now is not None and (before is None or now > before):
            yield Break(path, f"the {called} was {_said(before)} and is {now}", _WIDEN)
    for keyword, called in AT_MOST:
        before, now = old.get(keyword), new.get(keyword)
        if now is not None and (before is None or now < before):
            yield Break(path, f"the {called} was {_said(before)} and is {now}", _WIDEN)
    for keyword in EXACT:
        if keyword in new and new[keyword] != old.get(keyword):
            what = f"`{keyword}` was {_said(old.get(keyword))} and is {new[keyword]}"
            yield Break(path, what, f"leave `{keyword}` as it was, or without")
    if new.get("uniqueItems") and not old.get("uniqueItems"):
        yield Break(path, "elements have to differ", "leave out `uniqueItems`")


def _enumeration(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[Break]:
    now = _values(new)
    if now is None:
        return
    before = _values(old)
    if before is None:
        yield Break(path, f"only {', '.join(sorted(now))} are allowed, where any value was", "leave the values open")
    elif gone := sorted(before - now):
        yield Break(path, f"no longer takes {', '.join(gone)}", "keep the values that were written")


def _values(schema: Mapping[str, Any]) -> frozenset[str] | None:
    """The values that are allowed, as JSON, so that 1 and true differ; None when they are not counted up."""
    if "const" in schema:
        return frozenset({json.dumps(schema["const"], sort_keys=True)})
    return frozenset(json.dumps(value, sort_keys=True) for value in schema["enum"]) if "enum" in schema else None


def _limits(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[Break]:
    for called, keyword, sign in (("smallest number", "inimum", 1), ("largest number", "aximum", -1)):
        before, now = _limit(old, keyword, sign), _limit(new, keyword, sign)
        if now is not None and (before is None or now > before):
            yield Break(path, f"the {called} was {_limit_said(before, sign)} and is {_limit_said(now, sign)}", _WIDEN)


def _limit(schema: Mapping[str, Any], keyword: str, sign: int) -> tuple[float, bool] | None:
    """The strictest limit, larger for stricter ones: its value by its sign, and whether the value itself is excluded."""
    names = ((f"m{keyword}", False), (f"exclusiveM{keyword}", True))
    return max(((sign * schema[name], is_excluded) for name, is_excluded in names if name in schema), default=None)


def _limit_said(limit: tuple[float, bool] | None, sign: int) -> str:
    if limit is None:
        return "none"
    value, is_excluded = limit
    return f"{sign * value:g}, itself excluded" if is_excluded else f"{sign * value:g}"


def _said(value: object) -> str:
    return "none" if value is None else str(value)
