"""A list as it is asked for, and as the predict endpoint answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self, TypedDict


class Filters(TypedDict, total=False):
    """Restrictions on what may be shown; all of them hold at once."""

    categories: Sequence[str]
    brands: Sequence[str]
    price_min: float
    price_max: float
    new_to_user: bool


class Context(TypedDict, total=False):
    """Where and when the list will be seen; `time` is UTC as ISO 8601 with `Z`, the present when left out."""

    device: str
    geo: str
    time: str
    page: str


class Preferences(TypedDict, total=False):
    """What a new customer said they like."""

    categories: Sequence[str]
    brands: Sequence[str]


class Consent(TypedDict, total=False):
    """What the customer allows; what is left out takes the endpoint's setting."""

    personalisation: bool
    analytics: bool


class ListRequest(TypedDict, total=False):
    """One list to recommend; docs/serving.md describes each field."""

    user_id: str | None
    session_id: str | None
    surface: str
    item_ids: Sequence[str]
    k: int
    filters: Filters
    context: Context
    preferences: Preferences
    exclude: Sequence[str]
    explain: bool
    consent: Consent


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One item in its place; `position` goes back with the events that follow."""

    item_id: str
    score: float
    source: str
    reason: str
    position: int
    title: str
    propensity: float = 1.0
    explanation: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class RecommendedList:
    """What came back; `request_id` goes with the events that follow, `timings_ms` are milliseconds by stage."""

    recommendations: tuple[Recommendation, ...]
    request_id: str
    bundle: str
    variant: str
    degraded: tuple[str, ...]
    ignored: tuple[str, ...]
    timings_ms: Mapping[str, float]
    ordered_by: str = "ranker"
    personalised: bool = True

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """Of one prediction; fields of a newer endpoint are passed over.

        Raises:
            KeyError: a field is missing.
            TypeError: one is of another type.
        """
        items = tuple(Recommendation(**_known(Recommendation, item)) for item in answer["recommendations"])
        lists = {name: tuple(answer[name]) for name in ("degraded", "ignored")}
        return cls(**{**_known(cls, answer), **lists, "recommendations": items})


def _known(kind: type, said: Mapping[str, Any]) -> dict[str, Any]:
    return {field.name: said[field.name] for field in fields(kind) if field.name in said}
