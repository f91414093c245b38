"""A guardrail that is a query of one's own."""

from endcap.contracts.rollout import Guardrail
from endcap.core.errors import InvalidInput
from endcap_rollout_operator.guardrails.look import Look, Reading, missing

CANDIDATE, STABLE, WINDOW = "${candidate}", "${stable}", "${window}"


def custom_query(look: Look, guardrail: Guardrail) -> Reading:
    """The one number of the guardrail's query."""
    query = guardrail.query or ""
    if look.stable is None and STABLE in query:
        return missing(f"no stable version for {STABLE}")
    filled = filled_query(query, look)
    value = look.prometheus.number(filled, look.moment)
    if value is None:
        return missing(f"no finite number from {filled}")
    return Reading(value, filled)


def filled_query(query: str, look: Look) -> str:
    """A query with the look's versions and window, which PromQL reads as a duration.

    Raises:
        InvalidInput: a name in it is not known.
    """
    for name, text in ((CANDIDATE, str(look.candidate)), (STABLE, str(look.stable)), (WINDOW, f"{look.window_s}s")):
        query = query.replace(name, text)
    if "${" in query:
        raise InvalidInput("unknown name", field="query", value=query, fix=f"use {CANDIDATE}, {STABLE} or {WINDOW}")
    return query
