"""One pod whose containers are run to their end."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.cluster.nodes.container_environment import NotThere
from tests.cluster.nodes.container_process import ContainerCommand, ContainerProcess, command_of, with_addresses
from tests.cluster.nodes.container_states import condition, running, terminated, waiting
from tests.cluster.nodes.node_api import Document, NodeApi
from tests.cluster.nodes.pod_volumes import PodVolumes

POLL_S = 0.05
RETRY_S = 1.0
"""Before a container is started again (a kubelet waits 10 s and longer each time), and before a missing object is looked for again."""
MESSAGE_BYTES = 2048
START_ERROR = 128


@dataclass(frozen=True)
class Places:
    """Where things of the cluster are on this machine.

    Attributes:
        pod: of this pod.
        claims: those of PersistentVolumeClaims with a given one, by name.
        other_claims: holds those of the others.
        addresses: names of the cluster, and what stands for them here.
    """

    pod: Path
    claims: Mapping[str, Path]
    other_claims: Path
    addresses: Mapping[str, str] = field(default_factory=dict)


class PodRun:
    """Runs init containers one after the other, then the containers side by side, and writes the pod's status as a kubelet does.

    Args:
        overrides: variables that count more than the pod's own.
        stopped: says that the pod is gone or the runner ends: processes are killed and no more is written.
    """

    def __init__(self, api: NodeApi, pod: Document, places: Places, overrides: Mapping[str, str], stopped: Callable[[], bool]) -> None:
        self._api = api
        self._pod = pod
        self._places = places
        self._overrides = overrides
        self._stopped = stopped
        self._pause = threading.Event()
        self._started = datetime.now(UTC)
        self._states: dict[str, dict[str, Document]] = {"initContainerStatuses": {}, "containerStatuses": {}}

    def run(self) -> None:
        """Return when the pod has succeeded or failed, or was stopped."""
        self._places.pod.mkdir(parents=True, exist_ok=True)
        volumes = self._volumes()
        if volumes is None:
            return
        for container in self._pod["spec"].get("initContainers") or ():
            if not self._run_until_ended([container], volumes, "initContainerStatuses"):
                return
        if self._run_until_ended(self._pod["spec"]["containers"], volumes, "containerStatuses") and not self._stopped():
            self._write("Succeeded")

    def log(self, container: str) -> str:
        """What a container has written until now, over all its restarts."""
        file = self._log_file(container)
        return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""

    def _volumes(self) -> PodVolumes | None:
        while not self._stopped():
            try:
                return PodVolumes(self._api, self._pod, self._places.pod, self._places.claims, self._places.other_claims)
            except NotThere as missing:
                self._keep_waiting("ContainerCreating", str(missing), self._pod["spec"]["containers"])
        return None

    def _run_until_ended(self, containers: list[Document], volumes: PodVolumes, field: str) -> bool:
        """Whether all of them ended with 0."""
        restarts = 0
        while not self._stopped():
            codes = self._run_once(containers, volumes, field, restarts)
            if codes is None:
                continue
            if not any(codes):
                return not self._stopped()
            if self._stopped() or self._pod["spec"].get("restartPolicy", "Always") == "Never":
                break
            restarts += 1
            for each in containers:
                ended = self._states[field][each["name"]]
                crashed = waiting(each, "CrashLoopBackOff", restarts=restarts)
                self._states[field][each["name"]] = {**crashed, "lastState": ended["state"]}
            self._write("Running")
            self._pause.wait(RETRY_S)
        if not self._stopped():
            self._write("Failed")
        return False

    def _run_once(self, containers: list[Document], volumes: PodVolumes, field: str, restarts: int) -> list[int] | None:
        """Exit codes; None when something they need is missing."""
        since = datetime.now(UTC)
        try:
            commands = [self._command(each, volumes) for each in containers]
        except NotThere as missing:
            self._keep_waiting("CreateContainerConfigError", str(missing), containers)
            return None
        except ValueError as unknown:
            for each in containers:
                self._states[field][each["name"]] = terminated(each, since, since, START_ERROR, message=str(unknown), restarts=restarts)
            return [START_ERROR]
        processes = [ContainerProcess(each, self._log_file(own["name"])) for each, own in zip(commands, containers, strict=True)]
        for each in containers:
            self._states[field][each["name"]] = running(each, since, ready=True, restarts=restarts)
        self._write("Pending" if field == "initContainerStatuses" else "Running")
        while any(each.exit_code() is None for each in processes) and not self._stopped():
            self._pause.wait(POLL_S)
        for process in processes:
            process.kill()
        codes = [each.exit_code() or 0 for each in processes]
        for each, code in zip(containers, codes, strict=True):
            message = self._message(each) if code else ""
            self._states[field][each["name"]] = terminated(each, since, datetime.now(UTC), code, message=message, restarts=restarts)
        return codes

    def _command(self, container: Document, volumes: PodVolumes) -> ContainerCommand:
        mounts = volumes.mounts(container)
        command = command_of(self._api, self._pod, container, mounts, overrides=self._overrides, folder=self._places.pod)
        return with_addresses(command, self._places.addresses)

    def _keep_waiting(self, reason: str, message: str, containers: list[Document]) -> None:
        self._states["containerStatuses"] = {each["name"]: waiting(each, reason, message) for each in containers}
        self._write("Pending")
        self._pause.wait(RETRY_S)

    def _message(self, container: Document) -> str:
        if container.get("terminationMessagePolicy") != "FallbackToLogsOnError":
            return ""
        return self.log(container["name"]).encode()[-MESSAGE_BYTES:].decode(errors="replace")

    def _log_file(self, container: str) -> Path:
        return self._places.pod.parent / f"{self._pod['metadata']['name']}-{container}.log"

    def _write(self, phase: str) -> None:
        from kubernetes.client.rest import ApiException

        now = datetime.now(UTC)
        conditions = [condition(each, phase == "Running", now) for each in ("ContainersReady", "Ready")]
        conditions += [condition(each, True, now) for each in ("PodReadyToStartContainers", "Initialized")]
        statuses = {field: list(states.values()) for field, states in self._states.items() if states}
        try:
            status = {"phase": phase, "startTime": self._started.strftime("%Y-%m-%dT%H:%M:%SZ"), "conditions": conditions, **statuses}
            self._api.write_status(self._pod, status)
        except ApiException as error:
            if error.status not in (404, 409):  # it was deleted meanwhile
                raise
