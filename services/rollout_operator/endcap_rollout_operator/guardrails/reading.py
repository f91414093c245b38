"""What a guardrail read off the metrics, before it is held against the limit."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """One value, or why there is none.

    Attributes:
        value: of the candidate; None when it is missing.
        message: for people: the counts behind the value, or why it is missing.
        stable: the same of the stable version, where that makes sense.
        enough: whether the value rests on enough data to be a success.
        certain: whether so little data is enough to be a failure: the value cannot be on the right side by chance.
        unanswered: whether Prometheus did not answer, so that further queries are in vain.
        stands: whether the measurement before still says all there is to say, if it was a success.
    """

    value: float | None
    message: str
    stable: float | None = None
    enough: bool = True
    certain: bool = False
    unanswered: bool = False
    stands: bool = False


def missing(why: str, stable: float | None = None) -> Reading:
    """A reading without a value."""
    return Reading(None, why, stable)
