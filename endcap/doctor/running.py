"""All checks at once, each with the same deadline; a check that fails is an unknown finding, never a good one."""

import threading
import time
from collections.abc import Sequence

from endcap.core.errors import EndcapError
from endcap.doctor.check import Check, Outcome, unknown
from endcap.doctor.cluster import Cluster, NotAllowed
from endcap.doctor.finding import Finding

TIMEOUT_S = 30.0
READ_MORE = "run it as somebody who may read this, or ask the cluster's administrators"


class _Look(threading.Thread):
    """One check in a thread of its own, which ends with the program even when what it waits for never answers."""

    def __init__(self, check: Check, cluster: Cluster) -> None:
        super().__init__(name=check.name, daemon=True)
        self._check = check
        self._cluster = cluster
        self.outcome: Outcome | None = None

    def run(self) -> None:
        try:
            self.outcome = self._check.look(self._cluster)
        except NotAllowed as error:
            self.outcome = unknown(error.message, READ_MORE)
        except EndcapError as error:
            self.outcome = unknown(str(error))
        except Exception as error:
            self.outcome = unknown(f"the check failed: {type(error).__name__}: {error}")


def run_checks(checks: Sequence[Check], cluster: Cluster, timeout_s: float = TIMEOUT_S) -> list[Finding]:
    """Findings in the order of the checks.

    Args:
        timeout_s: within which all of them have to answer; those that have not are unknown.
    """
    looks = [_Look(check, cluster) for check in checks]
    deadline = time.monotonic() + timeout_s
    for look in looks:
        look.start()
    findings = []
    for check, look in zip(checks, looks, strict=True):
        look.join(max(0.0, deadline - time.monotonic()))
        outcome = unknown(f"no answer within {timeout_s:g} s") if look.is_alive() else look.outcome
        if outcome is not None:
            findings.append(check.finding(outcome))
    return findings
