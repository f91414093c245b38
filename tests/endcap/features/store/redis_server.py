"""A real Redis for tests: on loopback, on a free port, stopped, hung and started again by its process."""

import signal
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.debian_programs import DebianProgram
from tests.waiting import until

START_SECONDS = 120


@dataclass
class RedisServer:
    """One server. `options` are further lines of its configuration, as `--name value` arguments; they win over the file `configuration`."""

    program: DebianProgram
    folder: Path
    port: int
    options: tuple[str, ...] = ()
    configuration: Path | None = None
    _process: subprocess.Popen | None = field(default=None, init=False)

    def start(self) -> None:
        file = () if self.configuration is None else (self.configuration,)
        own = ["--bind", "127.0.0.1", "--save", "", "--dir", self.folder, "--logfile", self.folder / "redis.log"]
        port = () if "--port" in self.options else ("--port", str(self.port))
        self._process = subprocess.Popen([self.program.path, *file, *own, *port, *self.options], env=self.program.environment())
        until(lambda: listens(self.port) or self._process.poll() is not None, "Redis does not listen", START_SECONDS)
        assert self._process.poll() is None, (self.folder / "redis.log").read_text()

    def hang(self) -> None:
        """Stop it as an overloaded machine would: connections stay, answers do not come."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        if self._process is not None:
            self.resume()
            self._process.kill()
            self._process.wait(timeout=START_SECONDS)
            self._process = None


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
