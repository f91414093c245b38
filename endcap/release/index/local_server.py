"""The Milvus server of the `milvus` wheel as a child process on 127.0.0.1, in a folder of its own.

`python -m endcap.release.index.local_server` runs it in the foreground for a supervisor.
"""

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from pydantic import SecretStr

from endcap.core.errors import DependencyUnavailable
from endcap.core.log import configure_logging, get_logger
from endcap.core.polling import poll
from endcap.core.ports import LOOPBACK
from endcap.core.settings import MilvusSettings, Settings, load_settings
from endcap.release.index.connection import answers, port_is_taken, unavailable
from endcap.release.index.milvus_config import STOP_TIMEOUT_S, internal_ports, write_config
from endcap.release.index.milvus_program import unpack_program

START_TIMEOUT_S = 120.0

_POLL_S = 0.1
_START_ATTEMPTS = 2
_logger = get_logger("milvus")


class LocalMilvus:
    """One Milvus process; every port it opens is on 127.0.0.1, and it dies with the thread that started it."""

    def __init__(self, folder: Path, port: int, token: SecretStr | None = None) -> None:
        self.folder = folder.absolute()
        self.port = port
        self._token = token
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Unpack on first use, start, and return when it serves.

        Raises:
            DependencyUnavailable: the `milvus` package is missing, the port is taken, or it did not come up; the log is named.
        """
        unpack_program(self.folder / "bin")
        for attempt in range(_START_ATTEMPTS):
            self._launch()
            if self._wait_until_ready():
                self._require_loopback()
                return
            self.stop()
            _logger.warning("milvus did not come up", attempt=attempt + 1, log=str(self.log_file))
        raise DependencyUnavailable(
            f"the local Milvus did not come up within {START_TIMEOUT_S:g} s", field="milvus", fix=f"see {self.log_file}"
        )

    @property
    def log_file(self) -> Path:
        return self.folder / "logs" / "milvus.log"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def stop(self) -> None:
        """Ask it to stop, then insist."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def wait(self) -> int:
        """Block until the process ends by itself; its exit code."""
        return self._process.wait() if self._process else 0

    def _launch(self) -> None:
        ports = internal_ports(self.folder)
        config_file = write_config(self.folder, self.port, ports, asks_for_token=self._token is not None)
        environment = {
            **os.environ,
            "MILVUSCONF": str(config_file.parent),
            "METRICS_PORT": str(ports["metrics"]),
            "LD_LIBRARY_PATH": str(self.folder / "bin"),
        }
        parent = os.getpid()
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(
                [str(self.folder / "bin" / "milvus"), "run", "standalone", "-alias", f"endcap-{self.port}"],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: _die_with(parent),  # noqa: PLW1509 - no lock is taken in there
            )

    def _wait_until_ready(self) -> bool:
        settings = MilvusSettings(host=LOOPBACK, port=self.port, token=self._token)

        def state() -> str:
            if self._process is None or self._process.poll() is not None:
                return "ended"
            return "ready" if answers(settings, timeout_s=5.0) else ""

        return poll(state, every_s=_POLL_S, within_s=START_TIMEOUT_S) == "ready"

    def _require_loopback(self) -> None:
        if self._process is None:
            return
        exposed = [address for address in listening_addresses(self._process.pid) if not address.startswith("127.")]
        if exposed:
            self.stop()
            raise DependencyUnavailable("the local Milvus listens beyond 127.0.0.1, so it was stopped", field="milvus", value=exposed)


def listening_addresses(pid: int) -> list[str]:
    """Addresses a process listens on; IPv4 addresses mapped into IPv6 as IPv4."""
    import psutil

    connections = psutil.Process(pid).connections(kind="inet")
    return [each.laddr.ip.removeprefix("::ffff:") for each in connections if each.status == psutil.CONN_LISTEN]


def _die_with(parent: int) -> None:
    """Runs in the child: be killed when the parent ends, however it ends."""
    import ctypes

    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


@contextmanager
def running_milvus(settings: Settings) -> Iterator[MilvusSettings]:
    """A Milvus at settings.milvus: the one that answers already, or a local one for as long as the context lasts.

    Enter it from the main thread: the server ends with the thread that started it.

    Raises:
        DependencyUnavailable: none answers and `managed` is off or the host is another machine, or the local one does not start.
    """
    with _running_server(settings):
        yield settings.milvus


@contextmanager
def milvus_beside(settings: Settings) -> Iterator[Callable[[], None]]:
    """As `running_milvus`, but other work goes on while it starts.

    Yields:
        Waits until it answers; raises what `running_milvus` raises.
    """
    answering: Future[None] = Future()
    ended = threading.Event()

    def hold() -> None:
        # The server ends with this thread, and this thread with the context or the process.
        with ExitStack() as stack:
            try:
                stack.enter_context(running_milvus(settings))
            except Exception as error:
                answering.set_exception(error)
                return
            answering.set_result(None)
            ended.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        yield answering.result
    finally:
        ended.set()
        holder.join()


@contextmanager
def _running_server(settings: Settings) -> Iterator[LocalMilvus | None]:
    """The server that was started, or None when another one answers."""
    milvus = settings.milvus
    if answers(milvus, timeout_s=5.0):
        yield None
        return
    if port_is_taken(milvus):
        raise unavailable(milvus, "something else listens at Milvus's address")
    if not milvus.managed or milvus.host not in (LOOPBACK, "localhost"):
        raise unavailable(milvus, "no Milvus answers")
    with _sole_user(settings.milvus_dir, milvus) as first:
        server = LocalMilvus(settings.milvus_dir, milvus.port, milvus.token) if first else None
        try:
            if server is not None:
                server.start()
            yield server
        finally:
            if server is not None:
                server.stop()


@contextmanager
def _sole_user(folder: Path, milvus: MilvusSettings) -> Iterator[bool]:
    """Two commands at once: the first starts the server, the second waits for it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "server.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _wait_for_other(milvus)
            yield False
            return
        yield True


def _wait_for_other(milvus: MilvusSettings) -> None:
    if not poll(lambda: answers(milvus, timeout_s=5.0), every_s=_POLL_S, within_s=START_TIMEOUT_S):
        raise unavailable(milvus, "another process holds Milvus's folder but its server does not answer")


def main() -> None:
    """Run until SIGTERM, SIGINT, or until Milvus ends by itself."""
    settings = load_settings()
    configure_logging(settings.log_level, settings.log_format)

    def stop(signum: int, _frame: FrameType | None) -> None:
        raise SystemExit(0 if signum == signal.SIGTERM else 130)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    with _running_server(settings) as server:
        _logger.info("milvus serves", host=settings.milvus.host, port=settings.milvus.port, started=server is not None)
        if server is not None:
            sys.exit(server.wait())
        signal.pause()


if __name__ == "__main__":
    main()
