"""Events that a function failed on, on their way to the driver and back as dead letters."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from endcap.events.stream.buried import letters_of_failed
from endcap.events.stream.stepping import Failure
from endcap_stream.spark.stages.parcels import TO_DRIVER, Outgoing, Parcel, placed
from endcap_stream.spark.stages.reading import EVENTS, LETTERS, OFFSET
from endcap_stream.spark.stages.work import Batch, Work
from endcap_stream.spark.storage.packs import Pack, joined, packed

FAILED = "failed"
_SCHEMA = pl.Schema({"function": pl.String(), "event_id": pl.String(), "error_name": pl.String(), "error": pl.String()})


def send_failures(function: str, failures: Iterable[Failure], out: Outgoing) -> None:
    """Tell the driver of events that a function failed on; of a key that was only due, of none."""
    rows: list[tuple[str, str | None, str, str]] = []
    for failure in failures:
        ids: Sequence[str | None] = failure.event_ids or (None,)
        rows += [(function, event_id, type(failure.error).__name__, repr(failure.error)) for event_id in ids]
    out.add(TO_DRIVER, FAILED, pl.DataFrame(rows, schema=_SCHEMA, orient="row"))


def failures_in(packs: Iterable[Pack]) -> pl.DataFrame:
    """`function`, `event_id`, `error_name`, `error`, a row an event; null for the id where a key was only due."""
    found = joined(packs, FAILED)
    return _SCHEMA.to_frame() if found is None else found


@dataclass(frozen=True, slots=True)
class Bury:
    """Makes letters of events that functions failed on.

    Attributes:
        work: what is computed.
        batch: what holds for all of it.
        failed: from `failures_in`.
    """

    work: Work
    batch: Batch
    failed: pl.DataFrame

    def __call__(self, parcels: Iterable[Parcel]) -> Iterator[bytes]:
        """Packs with letters.

        Args:
            parcels: of events that came for the first time.
        """
        packs, _ = placed(parcels)
        events = joined(packs, EVENTS)
        if events is None:
            return
        for (function, error_name), of in self.failed.group_by("function", "error_name"):
            found = events.drop(OFFSET).filter(pl.col("event_id").is_in(of["event_id"].implode()))
            if len(found):
                yield packed({LETTERS: letters_of_failed(str(function), str(error_name), found, self.work.seal, self.batch.now)})
