"""clickThrough: at best, how much higher the candidate's click-through rate is than the stable version's, relative to it."""

from endcap.contracts.rollout import Guardrail
from endcap_rollout_operator.guardrails.look import Look, Reading
from endcap_rollout_operator.guardrails.relative_outcome import relative_outcome

CLICKS = "endcap_outcome_clicks_total"


def click_through(look: Look, guardrail: Guardrail) -> Reading:
    """Upper end of the confidence sequence since the step began."""
    return relative_outcome(look, guardrail, CLICKS, what="clicks")
