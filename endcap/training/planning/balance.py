"""From the weights that were asked for to those that are learned with: no type drowns the others, nor is what nobody reaches predicted."""

from collections.abc import Mapping

from endcap.contracts.signals import Signals, event_type_of
from endcap.core.errors import InvalidInput

TIMES_MAX = 10.0
"""Most that the events of one type may count together, in times of what all others do. A shop with 40 views a purchase stays below it."""
REACHED_MIN = 20
"""People and visits of whom something was the next thing, for it to be an objective."""


def balanced(asked: Signals, events: Mapping[int, int]) -> tuple[Signals, list[str]]:
    """The signals with the weight of a type lowered that counts more than TIMES_MAX times all others, and sentences that say so.

    Args:
        asked: the settings.
        events: how many there are, by code.

    Raises:
        InvalidInput: no type with a weight has an event.
    """
    counts = {code: events.get(code, 0) * asked.of(code).weight for code in asked.counted}
    total = sum(counts.values())
    if not total:
        names = ", ".join(event_type_of(code) for code in sorted(events)) or "none of them"
        raise InvalidInput("no type of event with a weight above 0 is in the data", field="signals", fix=f"give one a weight: {names}")
    notes = []
    for code, count in counts.items():
        others = total - count
        if others and count > TIMES_MAX * others:
            name, weight = event_type_of(code), asked.of(code).weight
            lowered = weight * TIMES_MAX * others / count
            notes.append(f"{events[code]:,} of {name} would drown all others: each counts {lowered:.4g} in place of {weight:g}")
            asked = asked.model_copy(update={name: asked.of(code).model_copy(update={"weight": lowered})})
            break
    return asked, notes


def reached(signals: Signals, following: Mapping[int, int]) -> tuple[Signals, list[str]]:
    """The signals without the objectives that too few reach, and sentences that say so; where none is reached all stay.

    Args:
        signals: types and whether they are predicted.
        following: by code, people and visits of whom it was a next thing.
    """
    wanted = [code for code in signals.counted if signals.of(code).predicted and code in following]
    missed = [code for code in wanted if following[code] < REACHED_MIN]
    if len(missed) == len(wanted):
        return signals, []
    update = {event_type_of(code): signals.of(code).model_copy(update={"predicted": False}) for code in missed}
    notes = [
        f"the next {event_type_of(code)} is no objective: {following[code]:,} people and visits reach it; {REACHED_MIN} are needed"
        for code in missed
    ]
    return signals.model_copy(update=update), notes
