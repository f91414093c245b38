"""What a process that sends events is to send and when, and what became of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

OK = 200
_BETWEEN = b"\x1e"
_BODIES = ".bodies"


@dataclass(frozen=True)
class EventPlan:
    """One stretch of events.

    Attributes:
        port: of the collector, on 127.0.0.1.
        bodies: of requests, sent in this order; a closed loop starts over at their end.
        media_type: of the bodies.
        send_at_s: open loop: the moment of each body from the start of the stretch; None for a closed loop.
        clients: closed loop: clients that wait for their answer before they send again.
        seconds: closed loop: how long; open loop: answers that take longer than this after the last request are given up.
    """

    port: int
    bodies: Sequence[bytes]
    media_type: str
    send_at_s: list[float] | None = None
    clients: int = 1
    seconds: float = 5.0

    def write(self, path: Path) -> None:
        path.with_suffix(_BODIES).write_bytes(_BETWEEN.join(self.bodies))
        rest = {"port": self.port, "media_type": self.media_type, "send_at_s": self.send_at_s}
        path.write_text(json.dumps({**rest, "clients": self.clients, "seconds": self.seconds}), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "EventPlan":
        return cls(bodies=path.with_suffix(_BODIES).read_bytes().split(_BETWEEN), **json.loads(path.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class SentEvents:
    """What became of the requests, a place each. Moments in seconds from the start of the stretch.

    Attributes:
        due_s: float64 [n], when it was to be sent; in a closed loop, when it was sent.
        sent_s: float64 [n], when it was sent.
        done_s: float64 [n], when the whole answer was there; NaN where none came.
        status: int64 [n], of HTTP; 0 where no answer came.
        accepted, duplicates, refused: int64 [n], events by what the answer says.
    """

    due_s: NDArray[np.float64]
    sent_s: NDArray[np.float64]
    done_s: NDArray[np.float64]
    status: NDArray[np.int64]
    accepted: NDArray[np.int64]
    duplicates: NDArray[np.int64]
    refused: NDArray[np.int64]

    @property
    def took_ms(self) -> NDArray[np.float64]:
        """float64 [n], from the moment each was due, so that a load generator that falls behind cannot hide it."""
        return (self.done_s - self.due_s) * 1000

    @property
    def is_ok(self) -> NDArray[np.bool_]:
        """Requests that were taken."""
        return np.equal(self.status, OK)

    def write(self, path: Path) -> None:
        with path.open("wb") as file:
            np.savez(file, **vars(self))

    @classmethod
    def read(cls, path: Path) -> "SentEvents":
        with np.load(path) as columns:
            return cls(**columns)
