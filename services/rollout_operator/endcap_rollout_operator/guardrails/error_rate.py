"""errorRate: the share of requests that ended in an error of the server.

A failed request brings no list, so all requests are lists answered and requests failed, as in the alerts.
"""

from endcap.contracts.rollout import Guardrail
from endcap_rollout_operator.guardrails.look import Look, Reading
from endcap_rollout_operator.guardrails.share import share_of, share_reading

FAILED = "endcap_failed_total"
ANSWERED = "endcap_lists_total"


def error_rate(look: Look, guardrail: Guardrail) -> Reading:
    """Failed of all requests over the window."""
    stable = None if look.stable is None else share_of(*_failed_of_all(look, look.stable))
    return share_reading(*_failed_of_all(look, look.candidate), guardrail.limit, what="requests failed", stable=stable)


def _failed_of_all(look: Look, version: int) -> tuple[float | None, float | None]:
    failed, answered = look.increase(FAILED, version), look.increase(ANSWERED, version)
    return failed, None if failed is None and answered is None else (failed or 0.0) + (answered or 0.0)
