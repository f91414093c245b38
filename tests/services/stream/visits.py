"""Visits as a request reads them, held against what was sent; a failure says what is missing and what is doubled."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from endcap.core.polling import poll

Visits = Mapping[str, Sequence[str]]
"""Items by visit, or by person."""


SAID_MOST = 10


def difference(expected: Visits, found: Visits) -> str:
    """Which items are missing and which are doubled or of nobody, by visit; empty when both are the same but for the order."""
    said = []
    for name in sorted({*expected, *found}):
        wanted, there = Counter(expected.get(name, ())), Counter(found.get(name, ()))
        missing, doubled = sorted((wanted - there).elements()), sorted((there - wanted).elements())
        said += [f"{name}: missing {missing}"] * bool(missing) + [f"{name}: doubled {doubled}"] * bool(doubled)
    return "; ".join(said[:SAID_MOST]) + f" and {len(said) - SAID_MOST} more" * (len(said) > SAID_MOST)


def require_visits(expected: Visits, found: Callable[[], Visits], within_s: float = 120) -> None:
    """Wait until what is found is what was sent, and say what is not."""
    left = poll(lambda: difference(expected, found()), every_s=0.2, within_s=within_s, is_there=lambda said: not said)
    assert not left, f"after {within_s:g} s {left}"
