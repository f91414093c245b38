"""A collector as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from endcap.core.ports import free_port
from tests.waiting import until


class CollectorProcess:
    """`python -m endcap_collector` in a home folder.

    Args:
        home: the folder.
        settings: further settings, as environment variables.
        port: of an earlier one; None for any.
    """

    def __init__(self, home: Path, settings: Mapping[str, str] | None = None, port: int | None = None) -> None:
        self._port = port or free_port()
        environment = {
            "ENDCAP_HOME": str(home),
            "ENDCAP_COLLECTOR__PORT": str(self._port),
            "ENDCAP_COLLECTOR__EVENTS_PER_SECOND": "1e9",
            **(settings or {}),
        }
        self._log = (home.parent / f"collector-{self._port}.log").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "endcap_collector"], env=os.environ | environment, stdout=self._log, stderr=subprocess.STDOUT
        )
        until(self._answers, "the collector did not come up", 60)

    @property
    def port(self) -> int:
        return self._port

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.address}/readyz", trust_env=False).status_code == 200
        except httpx.HTTPError:
            return self._process.poll() is not None

    def end(self, number: int) -> int:
        """Send a signal and wait; the exit code."""
        self._process.send_signal(number)
        code = self._process.wait(60)
        self._log.close()
        return code
