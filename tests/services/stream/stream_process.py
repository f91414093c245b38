"""A stream as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from endcap.core.ports import free_port
from tests.waiting import until


class StreamProcess:
    """`python -m endcap_stream` in a home folder.

    Args:
        home: the folder.
        settings: further settings, as environment variables.
        wait: until it is ready, or has ended.
    """

    def __init__(self, home: Path, settings: Mapping[str, str] | None = None, *, wait: bool = True) -> None:
        self._port = free_port()
        environment = {"ENDCAP_HOME": str(home), "ENDCAP_STREAM__PORT": str(self._port), **(settings or {})}
        self._log = (home.parent / f"stream-{self._port}.log").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "endcap_stream"], env=os.environ | environment, stdout=self._log, stderr=subprocess.STDOUT
        )
        if wait:
            until(lambda: self.is_ready() or self._process.poll() is not None, "the stream did not come up", 60)

    def is_alive(self) -> bool:
        """Whether it answers, ready or not."""
        return self._status("healthz") == 200

    def is_ready(self) -> bool:
        """Whether its newest step was stored."""
        return self._status("readyz") == 200

    def _status(self, page: str) -> int | None:
        try:
            return httpx.get(f"http://127.0.0.1:{self._port}/{page}", trust_env=False).status_code
        except httpx.HTTPError:
            return None

    def value(self, metric: str) -> float:
        """A metric without labels; NaN where the process shows none."""
        text = httpx.get(f"http://127.0.0.1:{self._port}/metrics", trust_env=False).text
        return next((float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"{metric} ")), float("nan"))

    def end(self, number: int) -> int:
        """Send a signal and wait; the exit code."""
        self._process.send_signal(number)
        code = self._process.wait(60)
        self._log.close()
        return code
