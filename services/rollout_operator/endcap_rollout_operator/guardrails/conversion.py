"""conversion: at best, how much higher the candidate's purchases an impression are than the stable version's, relative to them."""

from endcap.contracts.rollout import Guardrail
from endcap_rollout_operator.guardrails.look import Look, Reading
from endcap_rollout_operator.guardrails.relative_outcome import relative_outcome

PURCHASES = "endcap_outcome_purchases_total"


def conversion(look: Look, guardrail: Guardrail) -> Reading:
    """Upper end of the confidence sequence since the step began."""
    return relative_outcome(look, guardrail, PURCHASES, what="purchases")
