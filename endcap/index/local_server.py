"""The Milvus server of the `milvus` wheel as a child process on 127.0.0.1, in a folder of its own.

`python -m endcap.index.local_server` runs it in the foreground for a supervisor.
"""

import fcntl
import json
import lzma
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from endcap.errors import DependencyUnavailable
from endcap.index.connection import answers, port_is_taken, unavailable
from endcap.index.loopback import bind_to_loopback
from endcap.log import configure_logging, get_logger
from endcap.settings import MilvusSettings, Settings, load_settings

LOOPBACK = "127.0.0.1"
START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 5.0
SESSION_TTL_S = 10
"""After a kill, the next start takes the old parts for living ones for this long."""

_POLL_S = 0.1
_START_ATTEMPTS = 2
_UNPACKED = ".unpacked-2.3.5-loopback"
_logger = get_logger("milvus")


class LocalMilvus:
    """One Milvus process; every port it opens is on 127.0.0.1, and it dies with the thread that started it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder.absolute()
        self.port = port
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
        config_file = write_config(self.folder, self.port, ports)
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
        settings = MilvusSettings(host=LOOPBACK, port=self.port)
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                return False
            if answers(settings, timeout_s=5.0):
                return True
            time.sleep(_POLL_S)
        return False

    def _require_loopback(self) -> None:
        if self._process is None:
            return
        exposed = [address for address in listening_addresses(self._process.pid) if not address.startswith("127.")]
        if exposed:
            self.stop()
            raise DependencyUnavailable("the local Milvus listens beyond 127.0.0.1, so it was stopped", field="milvus", value=exposed)


_IMPATIENT = {"checkSegmentInterval": 200, "checkChannelInterval": 200, "distPullInterval": 100}
"""Milliseconds between two looks at what is to be loaded; a server of its own need not wait for other machines."""

_PARTS = ("rootCoord", "queryCoord", "queryNode", "indexNode", "dataCoord", "dataNode")
_PORT_KEYS = (*_PARTS, "proxyInternal", "etcd", "etcdPeer", "metrics")
_PORTS_FROM, _PORTS_TO = 20_000, 32_000
"""Below the range from which Linux gives ports to outgoing connections, so that a port is still free at the next start."""


def internal_ports(folder: Path) -> dict[str, int]:
    """Ports that the parts of one server talk to each other on, the same as last time while they are free.

    Milvus finds its parts' last addresses in its own etcd; when those have changed, a start takes a minute instead of seconds.
    """
    remembered = folder / "ports.json"
    if remembered.is_file():
        ports: dict[str, int] = json.loads(remembered.read_text(encoding="utf-8"))
        if set(ports) == set(_PORT_KEYS) and all(_is_free(port) for port in ports.values()):
            return ports
    shuffled = random.Random().sample(range(_PORTS_FROM, _PORTS_TO), k=_PORTS_TO - _PORTS_FROM)
    ports = dict(zip(_PORT_KEYS, (port for port in shuffled if _is_free(port)), strict=False))
    folder.mkdir(parents=True, exist_ok=True)
    remembered.write_text(json.dumps(ports), encoding="utf-8")
    return ports


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def listening_addresses(pid: int) -> list[str]:
    """Addresses a process listens on; IPv4 addresses mapped into IPv6 as IPv4."""
    import psutil

    connections = psutil.Process(pid).connections(kind="inet")
    return [each.laddr.ip.removeprefix("::ffff:") for each in connections if each.status == psutil.CONN_LISTEN]


def unpack_program(target: Path) -> None:
    """Unpack the wheel's program and libraries (about 250 MB) once, and keep the program on 127.0.0.1.

    Raises:
        DependencyUnavailable: the wheel is not installed, or is a build this code does not know.
    """
    if (target / _UNPACKED).is_file():
        return
    packed = sorted((_wheel_folder() / "bin").glob("*.lzma"))
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    from rich.console import Console
    from rich.progress import track

    for source in track(packed, "Unpacking Milvus", console=Console(stderr=True), transient=True):
        unpacked = aside / source.stem
        with lzma.open(source) as reader, unpacked.open("wb") as writer:
            shutil.copyfileobj(reader, writer, 1 << 20)
        unpacked.chmod(0o755)
    bind_to_loopback(aside / "milvus")
    (aside / _UNPACKED).touch()
    shutil.rmtree(target, ignore_errors=True)
    aside.rename(target)


def _wheel_folder() -> Path:
    try:
        import milvus
    except ImportError as error:
        raise DependencyUnavailable(
            "the local Milvus is not installed", field="milvus", fix='pip install "endcap[local]", or set ENDCAP_MILVUS__MANAGED=false'
        ) from error
    return Path(milvus.__file__).parent / "data"


def write_config(folder: Path, port: int, ports: dict[str, int]) -> Path:
    """Render the wheel's template with our ports and folders.

    Args:
        folder: where everything of this server lives.
        port: of the gRPC endpoint that clients use.
        ports: what `internal_ports` gave.
    """
    import yaml
    from milvus import MilvusServerConfig

    template = MilvusServerConfig(data_dir=str(folder))
    template.resolve()
    config_file = folder / "configs" / "milvus.yaml"
    config: dict[str, Any] = yaml.safe_load(config_file.read_text(encoding="utf-8"))
    for part in _PARTS:
        config[part] |= {"ip": LOOPBACK, "port": ports[part]}
    config["proxy"] |= {"ip": LOOPBACK, "port": port, "internalPort": ports["proxyInternal"]}
    config["proxy"]["http"]["enabled"] = False
    config["etcd"]["endpoints"] = f"{LOOPBACK}:{ports['etcd']}"
    config["etcd"]["config"] = {"path": str(folder / "configs" / "etcd.yaml")}
    config["queryNode"]["segcore"]["interimIndex"]["enableIndex"] = False
    config["queryCoord"] |= _IMPATIENT
    config["dataCoord"]["segment"]["assignmentExpiration"] = 300
    config["log"]["level"] = "warn"
    config["common"] |= {"gracefulStopTimeout": int(STOP_TIMEOUT_S), "session": {"ttl": SESSION_TTL_S, "retryTimes": 30}}
    config_file.write_text(yaml.safe_dump(config), encoding="utf-8")
    client_url, peer_url = f"http://{LOOPBACK}:{ports['etcd']}", f"http://{LOOPBACK}:{ports['etcdPeer']}"
    etcd = {
        "name": "default",
        "listen-client-urls": client_url,
        "advertise-client-urls": client_url,
        "listen-peer-urls": peer_url,
        "initial-advertise-peer-urls": peer_url,
        "initial-cluster": f"default={peer_url}",
    }
    (folder / "configs" / "etcd.yaml").write_text(yaml.safe_dump(etcd), encoding="utf-8")
    return config_file


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
    milvus = settings.milvus
    if answers(milvus, timeout_s=5.0):
        yield milvus
        return
    if port_is_taken(milvus):
        raise unavailable(milvus, "something else listens at Milvus's address")
    if not milvus.managed or milvus.host not in (LOOPBACK, "localhost"):
        raise unavailable(milvus, "no Milvus answers")
    with _sole_user(settings.milvus_dir, milvus) as first:
        server = LocalMilvus(settings.milvus_dir, milvus.port)
        if first:
            server.start()
        try:
            yield milvus
        finally:
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
    deadline = time.monotonic() + START_TIMEOUT_S
    while not answers(milvus, timeout_s=5.0):
        if time.monotonic() > deadline:
            raise unavailable(milvus, "another process holds Milvus's folder but its server does not answer")
        time.sleep(_POLL_S)


def main() -> None:
    """Run until SIGTERM, SIGINT, or until Milvus ends by itself."""
    settings = load_settings()
    configure_logging(settings.log_level, settings.log_format)

    def stop(signum: int, _frame: FrameType | None) -> None:
        raise SystemExit(0 if signum == signal.SIGTERM else 130)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    server = LocalMilvus(settings.milvus_dir, settings.milvus.port)
    try:
        server.start()
        _logger.info("milvus serves", host=LOOPBACK, port=settings.milvus.port)
        sys.exit(server.wait())
    finally:
        server.stop()


if __name__ == "__main__":
    main()
