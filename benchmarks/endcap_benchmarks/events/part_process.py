"""How a part that a scenario started comes up, and how it ends."""

import subprocess
from pathlib import Path

import httpx

from endcap.core.errors import DependencyUnavailable
from endcap.core.polling import poll

_LOOK_EVERY_SECONDS = 0.1
_SAID_CHARACTERS = 3_000


def await_ready(process: "subprocess.Popen[bytes]", port: int, log: Path, what: str, within_seconds: float) -> None:
    """Wait until it says that it is ready.

    Args:
        process: it.
        port: of its endpoints, on 127.0.0.1.
        log: what it says goes there.
        what: it is, for errors.
        within_seconds: from now on.

    Raises:
        DependencyUnavailable: it ended, or is not ready in time.
    """
    poll(lambda: process.poll() is not None or _is_ready(port), every_s=_LOOK_EVERY_SECONDS, within_s=within_seconds)
    if process.poll() is not None or not _is_ready(port):
        raise DependencyUnavailable(f"{what} did not come up:\n{log.read_text(errors='replace')[-_SAID_CHARACTERS:]}", field=str(log))


def end(process: "subprocess.Popen[bytes]", within_seconds: float) -> None:
    """Ask it to end, and end it when it does not in time.

    Args:
        process: it.
        within_seconds: from the question on.
    """
    process.terminate()
    try:
        process.wait(within_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).is_success
    except httpx.HTTPError:
        return False
