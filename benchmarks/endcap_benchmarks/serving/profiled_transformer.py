"""`python -m endcap_benchmarks.serving.profiled_transformer`: the transformer, every thread's stack sampled each few ms of CPU.

SIGUSR1 writes what was sampled so far to the file that PROFILE_VARIABLE names: CPU seconds by stack. Samples weigh what the thread used
since the last one, so that time in C counts where it was called from.
"""

import atexit
import json
import os
import signal
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import FrameType

from endcap.core.files import replace_text

PROFILE_VARIABLE = "ENDCAP_BENCH_PROFILE"
EVERY_CPU_SECONDS = 0.002
FRAMES_MAX = 60


class StackSampler:
    """CPU seconds by stack over all Python threads of this process.

    Args:
        path: where SIGUSR1 writes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seconds: dict[tuple[str, ...], float] = defaultdict(float)
        self._clocks: dict[int, float] = {}
        self._is_sampling = False

    def start(self) -> None:
        """Sample from now on; call in the main thread."""
        signal.signal(signal.SIGUSR1, lambda *_: self._write())
        signal.signal(signal.SIGPROF, lambda _number, frame: self._sample(frame))
        signal.setitimer(signal.ITIMER_PROF, EVERY_CPU_SECONDS, EVERY_CPU_SECONDS)
        atexit.register(signal.setitimer, signal.ITIMER_PROF, 0.0)

    def _sample(self, interrupted: FrameType | None) -> None:
        if self._is_sampling:
            return
        self._is_sampling = True
        try:
            self._count(interrupted)
        finally:
            self._is_sampling = False

    def _count(self, interrupted: FrameType | None) -> None:
        frames = sys._current_frames()
        frames[threading.get_ident()] = interrupted  # type: ignore[assignment]
        for thread in threading.enumerate():
            identity = thread.ident
            if identity is None or frames.get(identity) is None:
                continue
            used = self._used(identity)
            if used > 0:
                self._seconds[stack_of(frames[identity])] += used

    def _used(self, identity: int) -> float:
        try:
            now = time.clock_gettime(time.pthread_getcpuclockid(identity))
        except OSError:  # it has just ended
            return 0.0
        before, self._clocks[identity] = self._clocks.get(identity, now), now
        return now - before

    def _write(self) -> None:
        rows = [[seconds, list(stack)] for stack, seconds in list(self._seconds.items())]
        replace_text(self._path, json.dumps(rows))


def stack_of(frame: FrameType | None) -> tuple[str, ...]:
    """`module:function` from the outermost frame to the innermost."""
    names: list[str] = []
    while frame is not None and len(names) < FRAMES_MAX:
        names.append(f"{frame.f_globals.get('__name__', '?')}:{frame.f_code.co_qualname}")
        frame = frame.f_back
    return tuple(reversed(names))


if __name__ == "__main__":
    StackSampler(Path(os.environ[PROFILE_VARIABLE])).start()
    from endcap_transformer.server.server import main

    sys.exit(main())
