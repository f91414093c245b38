"""A service as a process of its own, started as its users start it."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from endcap.core.ports import free_port
from tests.waiting import until

START_SECONDS = 300
"""It takes four on an idle machine; on one that does ten things at once nothing else is meant by slow."""
END_SECONDS = 120


class ServiceProcess:
    """`python -m MODULE` that has said that it is ready.

    Args:
        module: what is run.
        port_setting: environment variable of the port at which it says so.
        home: its folder.
        settings: further settings, as environment variables.
        port: of an earlier one; None for any.
        wait: until it is ready.
    """

    def __init__(
        self, module: str, port_setting: str, home: Path, settings: Mapping[str, str], port: int | None = None, *, wait: bool = True
    ) -> None:
        self.port = port or free_port()
        environment = {"ENDCAP_HOME": str(home), port_setting: str(self.port), **settings}
        self._module = module
        self._said = home.parent / f"{module}-{self.port}.log"
        self._log = self._said.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", module], env=os.environ | environment, stdout=self._log, stderr=subprocess.STDOUT
        )
        if not wait:
            return
        try:
            until(self._may_go_on, f"{module} not started", START_SECONDS)
        except BaseException:
            self.kill()
            raise

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def said(self) -> str:
        """The end of what it logged."""
        return self._said.read_text(errors="replace")[-2_000:]

    def samples(self) -> dict[str, float]:
        """Its metrics, by name with labels as Prometheus writes them."""
        text = httpx.get(f"{self.address}/metrics", trust_env=False, timeout=30).text
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line and not line.startswith("#")}

    def value(self, metric: str) -> float:
        """A metric without labels; NaN where the process shows none."""
        return self.samples().get(metric, float("nan"))

    def end(self, number: int) -> int:
        """Send a signal and wait; the exit code."""
        self._process.send_signal(number)
        code = self._process.wait(END_SECONDS)
        self._log.close()
        return code

    def kill(self) -> None:
        """End it at once, if it runs still."""
        self._process.kill()
        self._process.wait(END_SECONDS)
        self._log.close()

    def is_alive(self) -> bool:
        """Whether it answers, ready or not."""
        return self._status("healthz") == 200

    def is_ready(self) -> bool:
        """Whether it says so."""
        return self._status("readyz") == 200

    def _may_go_on(self) -> bool:
        assert self.is_running, f"{self._module} ended at its start with {self._process.returncode}: {self.said()}"
        return self.is_ready()

    def _status(self, page: str) -> int | None:
        try:
            return httpx.get(f"{self.address}/{page}", trust_env=False).status_code
        except httpx.HTTPError:
            return None


@contextmanager
def ended(started: list[ServiceProcess]) -> Iterator[list[ServiceProcess]]:
    """Whatever the block put into the list runs no longer afterwards."""
    try:
        yield started
    finally:
        for each in started:
            each.kill()
