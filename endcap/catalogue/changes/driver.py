"""What drives the item changes: lines of the catalogue's log in, state and rows stored together with the place in the log."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from endcap.catalogue.changes.item_changes import ItemChanges
from endcap.core.clock import Clock
from endcap.core.log import get_logger
from endcap.events.stream.following import Arrived
from endcap.events.stream.function import KEY, Instant
from endcap.events.stream.outbox import Outbox
from endcap.events.stream.state_store import Progress, Stated, StateStore
from endcap.events.stream.stepping import stepped

_NOTHING_SEEN = pl.DataFrame(schema={"event_id": pl.String(), "occurred_at": pl.Datetime("us", "UTC")})


@dataclass(frozen=True, slots=True)
class TakenChanges:
    """What one step did.

    Attributes:
        changes: how many count.
        refused: lines that are no changes, and changes that could not be taken.
    """

    changes: int
    refused: int


class CatalogueDriver:
    """Runs `ItemChanges` over what arrives; for one thread. Each line is taken once: its place is stored with what it changed.

    Args:
        folder: where the state lies; None keeps it in memory.
        clock: the present, UTC.

    Raises:
        InvalidInput: the state that is there does not fit.
        DependencyUnavailable: another process has the state, or the disk refused.
    """

    def __init__(self, folder: Path | None, clock: Clock) -> None:
        self._function = ItemChanges()
        self._clock = clock
        name = self._function.name
        self._store = StateStore(folder, {name: self._function.state_schema}, {name: (self._function.row_schema, self._function.row_key)})

    @property
    def outboxes(self) -> Mapping[str, Outbox]:
        """Rows that wait, by function."""
        return self._store.outboxes

    def places(self) -> Mapping[str, int]:
        """Bytes that were read, by file of the log."""
        return self._store.places()

    def step(self, arrived: Arrived) -> TakenChanges:
        """Take what arrived; when this returns all of it is stored.

        Raises:
            DependencyUnavailable: the disk refused; nothing changed, and the same may be taken again.
        """
        log = get_logger("stream")
        for found in arrived.broken:
            log.error(
                "a line of the catalogue's log is no change",
                file=found.file,
                byte=found.byte,
                line=found.broken.line,
                reason=found.broken.reason,
            )
        present = self._clock()
        at = Instant(present, present)
        keyed = self._function.keyed(arrived.events)
        keys = keyed[KEY].unique(maintain_order=True)
        stated, failed = [], 0
        if len(keys):
            result = stepped(self._function, self._store.state(self._function.name, keys), keyed, keys, at)
            stated.append(Stated(self._function.name, keys, result.step))
            for failure in result.failures:
                failed += keyed.filter(pl.col(KEY) == failure.key).height
                log.error("a change of an item could not be taken", item_id=failure.key, error=repr(failure.error))
        self._store.commit(Progress(stated, _NOTHING_SEEN, present, present, present, arrived.places, arrived.gone))
        return TakenChanges(len(keyed) - failed, len(arrived.broken) + failed)

    def close(self) -> None:
        """Let go of the state."""
        self._store.close()
