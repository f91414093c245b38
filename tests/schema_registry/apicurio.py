"""A real schema registry for tests: Apicurio, which speaks Confluent's API; loopback only, all in memory unless it is told otherwise."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from endcap.core.ports import free_port
from endcap.core.settings import SchemasSettings
from tests.schema_registry.distribution import required_jar
from tests.waiting import until

START_SECONDS = 300
"""It takes ten on an idle machine."""
_JAVA = ("java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


class ApicurioRegistry:
    """A registry that is started and killed; killed, it forgets all but what its settings have it keep.

    Args:
        folder: for its log.
        environment: further settings.

    Attributes:
        url: where it speaks Confluent's API.
        root: its address.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self._folder, self._settings = folder, dict(environment or {})
        self._jar = required_jar()
        self._port = free_port()
        self.root = f"http://127.0.0.1:{self._port}"
        self.url = f"{self.root}/apis/ccompat/v7"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> SchemasSettings:
        """Settings that name it; patient, since tests share their cores."""
        return SchemasSettings(registry_url=self.url, timeout_seconds=30)

    def start(self) -> None:
        """Start it and wait until it answers."""
        environment = {**os.environ, **self._settings, "QUARKUS_HTTP_HOST": "127.0.0.1", "QUARKUS_HTTP_PORT": str(self._port)}
        with (self._folder / "registry.log").open("ab") as said:
            self._process = subprocess.Popen([*_JAVA, "-jar", self._jar], env=environment, stdout=said, stderr=said, cwd=self._folder)
        until(self._answers, "an answer of the registry", START_SECONDS)

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(START_SECONDS)
            self._process = None

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the registry ended: {self._said()}"
        try:
            return httpx.get(f"{self.url}/subjects", timeout=1).is_success
        except httpx.HTTPError:
            return False

    def _said(self) -> str:
        return (self._folder / "registry.log").read_text(errors="replace")[-2_000:]


@contextmanager
def running_registry(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[ApicurioRegistry]:
    """A registry that is ended afterwards; the test is skipped with the reason where none can be had."""
    registry = ApicurioRegistry(folder, environment)
    try:
        registry.start()
        yield registry
    finally:
        registry.kill()
