"""What happened to a rollout, as Events that `kubectl describe` shows.

An Event's name follows from what it says, so recording it again after a restart makes no second one.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from endcap.contracts.rollout import ENDED, GROUP, KIND, VERSION, Phase
from endcap.core.clock import Clock
from endcap.release.rollout.api_server import ApiServer, Conflict
from endcap.release.rollout.resource import Rollout
from endcap_rollout_operator.kserve.candidate import OPERATOR
from endcap_rollout_operator.state.transition import EDITED

RECENT = timedelta(minutes=30)
"""An ended rollout's last Event is recorded again after a restart only if it is younger: Kubernetes forgets Events after an hour."""
MESSAGE_LENGTH_MAX = 1000
_WARNINGS = frozenset({Phase.ROLLING_BACK, Phase.FAILED})


class EventRecorder:
    """Remembers the names of the Events it recorded, so that the API server gets each once."""

    def __init__(self, api_server: ApiServer, clock: Clock) -> None:
        self._api_server = api_server
        self._clock = clock
        self._names: set[str] = set()

    def record_phase(self, rollout: Rollout) -> None:
        """Record the phase a rollout is in, once; for a new phase or another reason once more."""
        status = rollout.status
        begun = status.phase_started_at
        if status.phase is None or begun is None or (status.phase in ENDED and self._clock() - begun > RECENT):
            return
        is_warning = status.phase in _WARNINGS or status.reason == EDITED
        reason = status.reason if status.phase != Phase.FAILED else f"RolledBack{status.reason}"
        self._record(rollout, f"{status.phase}{status.reason}{begun.isoformat()}", reason, status.message, is_warning)

    def record(self, rollout: Rollout, reason: str, message: str) -> None:
        """Record what no phase stands for."""
        self._record(rollout, f"{reason}{message}{rollout.resource_version}", reason, message, is_warning=True)

    def _record(self, rollout: Rollout, key: str, reason: str, message: str, is_warning: bool) -> None:
        name = f"{rollout.name}.{hashlib.sha256(f'{rollout.uid}{key}'.encode()).hexdigest()[:16]}"
        if name in self._names:
            return
        try:
            self._api_server.create_event(
                _event(rollout, name, reason, message, kind="Warning" if is_warning else "Normal", at=self._clock())
            )
        except Conflict:  # recorded before the operator was started again
            self._names.add(name)
        self._names.add(name)


def _event(rollout: Rollout, name: str, reason: str, message: str, *, kind: str, at: datetime) -> dict[str, Any]:
    moment = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "metadata": {"name": name, "namespace": rollout.namespace},
        "involvedObject": {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": KIND,
            "name": rollout.name,
            "namespace": rollout.namespace,
            "uid": rollout.uid,
            "resourceVersion": rollout.resource_version,
        },
        "type": kind,
        "reason": reason,
        "message": message[:MESSAGE_LENGTH_MAX],
        "source": {"component": OPERATOR},
        "reportingComponent": OPERATOR,
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
    }
