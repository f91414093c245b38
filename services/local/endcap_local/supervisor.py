"""Runs parts side by side with honcho: all start, and when one ends, all end."""

import multiprocessing
import os
import re
import shlex
import signal
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from honcho.manager import Manager

from endcap.core.errors import DependencyUnavailable
from endcap_local.parts import Part
from endcap_local.restarting import NOTICE

LAST_LINES = 12
FIRST_LOOK_SECONDS, LOOK_EVERY_SECONDS = 0.5, 0.25
_STOPPED = re.compile(r"^(?P<name>.+) stopped \(rc=(?P<code>-?\d+)\)")
_STOP_REQUESTED = re.compile(r"^SIG(INT|TERM) received")


class PartsLog:
    """What honcho prints to: a file a part, the last lines in memory, and the screen when that is wanted."""

    def __init__(
        self, folder: Path, names: list[str], echo: Callable[[str, str], None] | None, notify: Callable[[str], None] | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.width = 0
        self.folder = folder
        self.first_to_stop: tuple[str, int] | None = None
        self.stop_requested = False
        self._echo = echo
        self._notify = notify
        self._files: dict[str, IO[str]] = {name: self.path(name).open("w", encoding="utf-8") for name in names}
        self._last = {name: deque[str](maxlen=LAST_LINES) for name in names}

    def path(self, name: str) -> Path:
        return self.folder / f"{name.replace(' ', '-')}.log"

    def write(self, message: Any) -> None:
        """Take one of honcho's messages."""
        line = message.data.decode(errors="replace") if isinstance(message.data, bytes) else message.data
        line = line.rstrip("\n")
        if message.name not in self._files:
            self._note(line)
            return
        self._files[message.name].write(line + "\n")
        self._files[message.name].flush()
        self._last[message.name].append(line)
        if self._echo:
            self._echo(message.name, line)
        if self._notify and line.startswith(NOTICE):
            self._notify(line.removeprefix(NOTICE))

    def last_lines(self, name: str) -> list[str]:
        return list(self._last[name])

    def close(self) -> None:
        for file in self._files.values():
            file.close()

    def _note(self, line: str) -> None:
        if _STOP_REQUESTED.match(line):
            self.stop_requested = True
        stopped = _STOPPED.match(line)
        if stopped and self.first_to_stop is None:
            self.first_to_stop = (stopped["name"], int(stopped["code"]))


class Supervisor:
    """Keeps parts running together until a signal comes or one of them ends.

    Args:
        parts: started at once; each waits for the ones it needs.
        log: where their output goes.
        on_ready: called with each part once it answers.
    """

    def __init__(self, parts: list[Part], log: PartsLog, on_ready: Callable[[Part], None]) -> None:
        self._log = log
        self._waiting = list(parts)
        self._on_ready = on_ready
        self._manager = Manager(printer=log)
        for part in parts:
            command = [sys.executable, "-m", "endcap_local.parent_watchdog", str(os.getpid()), *part.command]
            self._manager.add_process(part.name, f"exec {shlex.join(command)}", env={**os.environ, **part.environment})

    def run(self) -> None:
        """Block until all parts have ended.

        Raises:
            DependencyUnavailable: a part ended by itself; the message has its last lines.
        """
        signal.signal(signal.SIGALRM, lambda *_: self._look())
        signal.setitimer(signal.ITIMER_REAL, FIRST_LOOK_SECONDS)
        try:
            self._manager.loop()
        except BaseException:
            # They would be waited for at exit. The watchdogs stop the parts once this process has ended.
            for child in multiprocessing.active_children():
                child.kill()
            raise
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            self._log.close()
        if self._log.first_to_stop and not self._log.stop_requested:
            name, code = self._log.first_to_stop
            lines = "\n".join(f"  {line}" for line in self._log.last_lines(name))
            raise DependencyUnavailable(
                f"{name} ended with exit code {code}, so all parts were stopped; its last lines:\n{lines}", field=name
            )

    def _look(self) -> None:
        """Report parts that have begun to answer; the next look is set when this one is over, so that none interrupts another."""
        while self._waiting and self._waiting[0].is_ready():
            self._on_ready(self._waiting.pop(0))
        if self._waiting:
            signal.setitimer(signal.ITIMER_REAL, LOOK_EVERY_SECONDS)
