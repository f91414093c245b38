"""emptyShare: the share of lists that were empty although an item was eligible. With a limit of 0 a single one is enough."""

from endcap.contracts.rollout import Guardrail
from endcap_rollout_operator.guardrails.look import Look, Reading
from endcap_rollout_operator.guardrails.share import share_of, share_reading

EMPTY = "endcap_empty_answers_total"
ANSWERED = "endcap_lists_total"


def empty_share(look: Look, guardrail: Guardrail) -> Reading:
    """Empty of all lists over the window."""
    stable = None if look.stable is None else share_of(look.increase(EMPTY, look.stable), look.increase(ANSWERED, look.stable))
    empty, answered = look.increase(EMPTY, look.candidate), look.increase(ANSWERED, look.candidate)
    return share_reading(empty, answered, guardrail.limit, what="lists empty", stable=stable)
