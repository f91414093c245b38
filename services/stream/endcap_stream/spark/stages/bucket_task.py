"""What a task has of one bucket while functions step its keys."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from endcap.events.stream.function import StreamFunction
from endcap_stream.spark.stages.parcels import Outgoing
from endcap_stream.spark.stages.work import Work
from endcap_stream.spark.storage.bucket_state import BucketState
from endcap_stream.spark.storage.packs import Pack, joined


@dataclass(frozen=True, slots=True)
class BucketTask:
    """One bucket in one round.

    Attributes:
        work: what is computed.
        number: of the bucket.
        state: what the functions remember of its keys.
        packs: what came for it.
        out: what leaves it.
    """

    work: Work
    number: int
    state: BucketState
    packs: Sequence[Pack]
    out: Outgoing = field(default_factory=Outgoing)

    def received(self, function: StreamFunction, part: str) -> pl.DataFrame | None:
        """One table of a function that came; None where it has no rows."""
        return joined(self.packs, f"{function.name}/{part}")

    def events(self, function: StreamFunction) -> pl.DataFrame:
        """The function's events, as it keyed them."""
        came = self.received(function, "events")
        return function.keyed(self.work.no_events()) if came is None else came

    def send(self, to: int, function: StreamFunction, part: str, rows: pl.DataFrame) -> None:
        """Put a table of a function on the way to a bucket."""
        self.out.add(to, f"{function.name}/{part}", rows)
