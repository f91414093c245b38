"""What the load process is to send and when, and what became of it: two JSON documents."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

Protocol = Literal["http", "grpc"]


@dataclass(frozen=True)
class LoadPlan:
    """One stretch of load.

    Attributes:
        protocol: KServe V1 over HTTP, or Open Inference Protocol V2 over gRPC.
        port: on 127.0.0.1.
        model: the model's name.
        instances: the requests, sent in this order; a closed loop starts over at their end.
        kinds: of each request.
        send_at_s: open loop: the moment of each request from the start of the stretch; None for a closed loop.
        clients: closed loop: clients that wait for their answer before they ask again.
        seconds: closed loop: how long; open loop: answers that take longer than this after the last request are given up.
        timings: whether stage times are read from the answers.
    """

    protocol: Protocol
    port: int
    model: str
    instances: list[dict[str, Any]]
    kinds: list[str]
    send_at_s: list[float] | None = None
    clients: int = 1
    seconds: float = 10.0
    timings: bool = True

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "LoadPlan":
        return cls(**json.loads(path.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Exchange:
    """One request and what became of it. Moments in seconds from the start of the stretch.

    Attributes:
        kind: of the mix.
        due_s: when it was to be sent; in a closed loop, when it was sent.
        sent_s: when it was sent.
        done_s: when the whole answer was there; None when none came.
        status: HTTP status, or for gRPC 200, 429 or 500 by its meaning; 0 when no answer came.
        retry_after: whether a refusal said when to come again.
        timings_ms, degraded: of the answer.
        items: length of the list.
    """

    kind: str
    due_s: float
    sent_s: float
    done_s: float | None
    status: int
    retry_after: bool = False
    timings_ms: dict[str, float] | None = None
    degraded: list[str] | None = None
    items: int = 0

    @property
    def took_ms(self) -> float:
        """From the moment it was due, so that a load generator that falls behind cannot hide it."""
        return float("nan") if self.done_s is None else (self.done_s - self.due_s) * 1000


def write_exchanges(path: Path, exchanges: list[Exchange]) -> None:
    path.write_text(json.dumps([asdict(each) for each in exchanges]), encoding="utf-8")


def read_exchanges(path: Path) -> list[Exchange]:
    return [Exchange(**row) for row in json.loads(path.read_text(encoding="utf-8"))]


Arrivals = Literal["poisson", "fixed"]


def due_times(rate: float, seconds: float, arrivals: Arrivals, seed: int) -> list[float]:
    """Moments in [0, seconds), ascending, rate x seconds of them.

    Args:
        rate: requests a second.
        seconds: length of the stretch.
        arrivals: `poisson`, as independent people come, or `fixed` distances.
        seed: of the Poisson process.
    """
    count = round(rate * seconds)
    if arrivals == "fixed":
        return [float(moment) for moment in np.arange(count) / rate]
    # Given their number, arrivals of a Poisson process are independent and uniform; the number is kept so that stretches compare.
    moments: list[float] = np.sort(np.random.default_rng(seed).uniform(0.0, seconds, count)).tolist()
    return moments
