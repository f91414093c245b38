"""degradedShare: the share of lists in which at least one stage fell back."""

from endcap.contracts.rollout import Guardrail
from endcap_rollout_operator.guardrails.look import Look, Reading
from endcap_rollout_operator.guardrails.share import share_of, share_reading

DEGRADED = "endcap_degraded_lists_total"
ANSWERED = "endcap_lists_total"


def degraded_share(look: Look, guardrail: Guardrail) -> Reading:
    """Degraded of all lists over the window."""
    stable = None if look.stable is None else share_of(look.increase(DEGRADED, look.stable), look.increase(ANSWERED, look.stable))
    degraded, answered = look.increase(DEGRADED, look.candidate), look.increase(ANSWERED, look.candidate)
    return share_reading(degraded, answered, guardrail.limit, what="lists degraded", stable=stable)
