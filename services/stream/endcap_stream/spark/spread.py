"""What a batch asks of the place where its stages run."""

from collections.abc import Sequence
from typing import Protocol

import polars as pl

from endcap_stream.spark.stages.keying import Key
from endcap_stream.spark.stages.once import Once
from endcap_stream.spark.stages.rounds import Round
from endcap_stream.spark.stages.stepping import StepFirst
from endcap_stream.spark.stages.work import Batch, Standing
from endcap_stream.spark.storage.packs import Pack

Stage = type[Once] | type[Key] | type[StepFirst] | type[Round]


class Spread(Protocol):
    """Parcels between two stages, by bucket."""

    def through(self, stage: Stage, standing: Batch | Standing) -> "Spread":
        """Run a stage, a task a bucket, over what is for that bucket."""

    def kept(self) -> "Spread":
        """The same, computed once however often it is asked for, until `release`."""

    def words(self) -> list[Pack]:
        """What the stages say to the driver."""

    def for_buckets(self) -> "Spread":
        """The same without the words."""

    def letters(self, batch: Batch, failed: pl.DataFrame) -> list[Pack]:
        """Letters of the events here that functions failed on; see `Bury`."""

    def release(self) -> None:
        """It is needed no more."""


class Contents(Protocol):
    """The records of a batch, read."""

    def summaries(self) -> Sequence[bytes]:
        """Packs with what the driver has to know of them."""

    def steps(self) -> Sequence[bytes]:
        """Packs with the moments at which the newest one moved on."""

    def judged(self, batch: Batch, steps: pl.DataFrame | None) -> Spread:
        """Events by the bucket of their id; see `Judge`."""

    def release(self) -> None:
        """They are needed no more."""
