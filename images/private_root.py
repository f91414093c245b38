"""A root directory of its own for a command, out of a temporary folder and the machine's own programs: no container engine is needed.

The command sees the machine's /usr, /etc and the running Python read-only, the folder's files in all other places, and an empty /tmp.
It takes root's right to mount, in a mount namespace that ends with the command.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

SHARED = ("/usr", "/etc", "/dev", "/sys", "/proc")
LINKED = ("/bin", "/sbin", "/lib", "/lib64")
_PASSED_ON = ("PIP_", "UV_", "SSL_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


def why_not() -> str:
    """Why no private root can be made here; empty when one can."""
    missing = [program for program in ("unshare", "chroot", "mount") if shutil.which(program) is None]
    if missing:
        return f"not on the PATH: {', '.join(missing)}"
    tried = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True, check=False)
    if os.geteuid() != 0 or tried.returncode != 0:
        return f"mounting takes root's rights: {tried.stderr.strip() or 'not root'}"
    return ""


class PrivateRoot:
    """One such root.

    Args:
        folder: an empty folder; what commands write goes there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for shared in (*SHARED, sys.base_prefix, "/tmp"):  # noqa: S108  # a place inside the private root
            self.inside(shared).mkdir(parents=True, exist_ok=True)
        for linked in LINKED:
            if Path(linked).is_symlink():
                self.inside(linked).symlink_to(Path(linked).readlink())
        folder.chmod(0o755)

    def inside(self, path: str) -> Path:
        """Where a path of the private root is on the machine."""
        return self.folder / path.lstrip("/")

    def command(
        self, command: Sequence[str], environment: Mapping[str, str], *, workdir: str, mounts: Mapping[str, Path], uid: int | None = None
    ) -> list[str]:
        """The command line that runs a command in the private root.

        Args:
            command: program and arguments.
            environment: its variables, besides those that package clients are configured by.
            workdir: its working directory, a path of the private root.
            mounts: folders of the machine that it may write to, by their path in the private root.
            uid: run as this user and group, named endcap, without any right of root's; all but /tmp and `mounts` is read-only.
        """
        lines = ["set -e", f"mount --bind {self._quoted('/')} {self._quoted('/')}"]
        for shared in (*SHARED, sys.base_prefix):
            lines.append(f"mount --rbind {shlex.quote(shared)} {self._quoted(shared)}")
            if shared not in ("/dev", "/sys", "/proc"):
                lines.append(f"mount -o remount,bind,ro {self._quoted(shared)}")
        for place, folder in mounts.items():
            self.inside(place).mkdir(parents=True, exist_ok=True)
            lines.append(f"mount --bind {shlex.quote(str(folder))} {self._quoted(place)}")
        lines.append(f"mount -t tmpfs -o mode=1777 tmpfs {self._quoted('/tmp')}")  # noqa: S108  # a place inside the private root
        if uid is not None:
            lines.append(f"mount --bind {shlex.quote(str(self._users(uid)))} {self._quoted('/etc/passwd')}")
            lines.append(f"mount -o remount,bind,ro {self._quoted('/')}")
        user = [] if uid is None else [f"--userspec={uid}:{uid}", "--groups="]
        variables = [f"{name}={value}" for name, value in (_of_package_clients() | dict(environment)).items()]
        started = ["chroot", *user, str(self.folder), "env", "--ignore-environment", *variables]
        lines.append(f"exec {shlex.join([*started, 'sh', '-c', f'cd {shlex.quote(workdir)} && exec {shlex.join(command)}'])}")
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", "\n".join(lines)]

    def _users(self, uid: int) -> Path:
        """The machine's users and endcap, as the images' useradd has it."""
        users = self.folder.with_name(f"{self.folder.name}-passwd")
        users.write_text(f"{Path('/etc/passwd').read_text()}endcap:x:{uid}:{uid}::/tmp:/usr/sbin/nologin\n")
        return users

    def _quoted(self, place: str) -> str:
        return shlex.quote(str(self.inside(place)))


def _of_package_clients() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(_PASSED_ON)}
