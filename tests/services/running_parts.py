"""Collectors and streams of one test: whatever is started is ended with it, also when it fails."""

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.services.collector.collector_process import CollectorProcess
from tests.services.service_process import ServiceProcess, ended
from tests.services.stream.stream_process import StreamProcess


@dataclass
class RunningParts:
    """A collector and a stream on one home folder, each killed and started again.

    Attributes:
        home: the folder.
        settings: environment variables of both.
    """

    home: Path
    settings: Mapping[str, str]
    started: list[ServiceProcess]

    def __post_init__(self) -> None:
        self.collector, self.stream = self._collector(), self._stream()

    def kill_stream(self) -> None:
        """End the stream at once."""
        assert self.stream.end(signal.SIGKILL) == -signal.SIGKILL

    def kill_collector(self) -> None:
        """End the collector at once."""
        assert self.collector.end(signal.SIGKILL) == -signal.SIGKILL

    def start_stream(self) -> None:
        """Another one in its place."""
        self.stream = self._stream()

    def start_collector(self) -> None:
        """Another one in its place, at a port of its own."""
        self.collector = self._collector()

    def end(self) -> None:
        """Both as an orchestrator ends them."""
        assert self.collector.end(signal.SIGTERM) in (0, -signal.SIGTERM)
        assert self.stream.end(signal.SIGTERM) == 0

    def _collector(self) -> CollectorProcess:
        self.started.append(started := CollectorProcess(self.home, self.settings))
        return started

    def _stream(self) -> StreamProcess:
        self.started.append(started := StreamProcess(self.home, self.settings))
        return started


@contextmanager
def running_parts(home: Path, settings: Mapping[str, str] | None = None) -> Iterator[RunningParts]:
    """A collector and a stream that run until the block ends."""
    with ended([]) as started:
        yield RunningParts(home, settings or {}, started)
