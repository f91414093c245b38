"""A container's command as a process of this machine."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.cluster.nodes.container_environment import environment_of, expanded
from tests.cluster.nodes.node_api import Document, NodeApi
from tests.cluster.nodes.pod_volumes import ACCOUNT_PATH, relocated

ROOT = Path(__file__).parents[3]
NOT_FOUND = 127
ACCOUNT_FOLDER = "SERVICE_ACCOUNT_FOLDER"
"""Variable that names the folder with `token`, `ca.crt` and `namespace`: what opens them under `ACCOUNT_PATH` itself finds nothing."""


@dataclass(frozen=True)
class ContainerCommand:
    """What is run, and with which variables."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: Path


class ContainerProcess:
    """Runs from the moment it is made.

    Args:
        command: what to run; a program that is not found ends with 127, as a shell has it.
        log: file that gets what it writes.
    """

    def __init__(self, command: ContainerCommand, log: Path) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        with log.open("ab") as written:
            try:
                self._process = subprocess.Popen(
                    command.arguments,
                    cwd=command.folder,
                    env=dict(command.environment),
                    stdin=subprocess.DEVNULL,
                    stdout=written,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except (FileNotFoundError, PermissionError) as error:
                written.write(f"{error}\n".encode())

    def exit_code(self) -> int | None:
        """None while it runs; 128 + n for signal n."""
        if self._process is None:
            return NOT_FOUND
        code = self._process.poll()
        return code if code is None or code >= 0 else 128 - code

    def kill(self) -> None:
        """It and all that it started are gone after this."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def command_of(
    api: NodeApi, pod: Document, container: Document, mounts: Mapping[str, Path], *, overrides: Mapping[str, str], folder: Path
) -> ContainerCommand:
    """What a container runs, its mounted paths made those of this machine.

    Args:
        overrides: variables that count more than the pod's own; an empty one is kept empty.
        folder: home and working directory.

    Raises:
        NotThere: a variable comes from an object that is missing.
        ValueError: there is no `command`; what an image would start is not known here.
    """
    if not container.get("command"):
        raise ValueError(
            f"container {container['name']} of pod {pod['metadata']['name']} has no command: give it one, images are not pulled here"
        )
    declared = environment_of(api, pod, container)
    arguments = [expanded(each, declared) for each in (*container["command"], *(container.get("args") or ()))]
    host, _, port = api.server.removeprefix("https://").partition(":")
    machine = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "HOSTNAME": pod["metadata"]["name"],
        "KUBERNETES_SERVICE_HOST": host,
        "KUBERNETES_SERVICE_PORT": port or "443",
    }
    if ACCOUNT_PATH in mounts:
        machine |= {ACCOUNT_FOLDER: str(mounts[ACCOUNT_PATH]), "KUBECONFIG": str(_kubeconfig(api.server, mounts[ACCOUNT_PATH], folder))}
    own = {name: relocated(value, mounts) for name, value in declared.items() if name not in ("PATH", "PYTHONPATH", "HOME")}
    return ContainerCommand([relocated(each, mounts) for each in arguments], {**machine, **own, **overrides}, folder)


def with_addresses(command: ContainerCommand, addresses: Mapping[str, str]) -> ContainerCommand:
    """The command with names of the cluster replaced by what stands for them on this machine."""

    def found(text: str) -> str:
        for name, here in addresses.items():
            text = text.replace(name, here)
        return text

    variables = {name: found(value) for name, value in command.environment.items()}
    return ContainerCommand([found(each) for each in command.arguments], variables, command.folder)


def _kubeconfig(server: str, account: Path, folder: Path) -> Path:
    """The pod's account for kubectl and for clients that look for a kubeconfig where there is no token under `ACCOUNT_PATH`."""
    namespace = (account / "namespace").read_text(encoding="utf-8")
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "pod", "cluster": {"server": server, "certificate-authority": str(account / "ca.crt")}}],
        "users": [{"name": "pod", "user": {"tokenFile": str(account / "token")}}],
        "contexts": [{"name": "pod", "context": {"cluster": "pod", "user": "pod", "namespace": namespace}}],
        "current-context": "pod",
    }
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file
