"""What a process that watches visits is to do, and what became of it: two JSON documents."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Visit:
    """One visit that nobody knows.

    Attributes:
        begins_s: from the start of the stretch.
        session_id: of the visit.
        item_ids: what it looks at, one after the other; each once the list followed the one before.
    """

    begins_s: float
    session_id: str
    item_ids: Sequence[str]


@dataclass(frozen=True)
class VisitPlan:
    """Visits, each on its own.

    Attributes:
        collector_port, predict_port: on 127.0.0.1.
        model: the model's name.
        instance: what each visit asks for, without its session.
        visits: in the order in which they begin.
        look_every_s: pause before each look at the list.
        patience_s: after an event, how long its list is looked at; and before the first one, how long a whole list is waited for.
        steady_after_s: after the last change, when the list is looked at once more.
    """

    collector_port: int
    predict_port: int
    model: str
    instance: dict[str, Any]
    visits: Sequence[Visit]
    look_every_s: float
    patience_s: float
    steady_after_s: float

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "VisitPlan":
        fields = json.loads(path.read_text(encoding="utf-8"))
        return cls(**fields | {"visits": [Visit(**visit) for visit in fields["visits"]]})


@dataclass(frozen=True)
class Probe:
    """One event of a visit and what followed.

    Attributes:
        is_accepted: whether the collector took it.
        accept_ms: from sending it until the collector had answered.
        changed_ms: from then until the first other list was there; None when it stayed as it was.
        looks: how often the list was asked for.
        degraded: answers in which a stage fell back, which count as no look.
    """

    is_accepted: bool
    accept_ms: float
    changed_ms: float | None
    looks: int
    degraded: int


@dataclass(frozen=True)
class Watched:
    """What became of one visit.

    Attributes:
        has_list: whether there was a whole list before the first event.
        probes: its events.
        is_steady: whether the list, looked at once more after the last change, was still the same; None when it was not looked at.
    """

    has_list: bool
    probes: Sequence[Probe]
    is_steady: bool | None


def write_watched(path: Path, watched: Sequence[Watched]) -> None:
    path.write_text(json.dumps([asdict(each) for each in watched]), encoding="utf-8")


def read_watched(path: Path) -> list[Watched]:
    rows = json.loads(path.read_text(encoding="utf-8"))
    return [Watched(**row | {"probes": [Probe(**probe) for probe in row["probes"]]}) for row in rows]
