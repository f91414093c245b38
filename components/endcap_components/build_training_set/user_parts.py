"""What is made of purchases and interactions a part of the users at a time, so that no more than one part lies in memory."""

import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from endcap.catalogue.vocabulary import Vocabulary
from endcap.contracts.signals import PURCHASE_CODE
from endcap.contracts.training_plan import EligibleBy
from endcap.training.example_shards import ExampleManifest, ExampleShardWriter
from endcap.training.moments import Moments
from endcap.training.sequence_shards import KEPT, SequenceShardWriter, UserSequences
from endcap.training.shard_files import USERS_A_SHARD
from endcap_components.build_training_set.examples import retrieval_examples, targets_of
from endcap_components.build_training_set.feature_rows import KEYS_AT_ONCE, UserRows
from endcap_components.build_training_set.interactions import eligible_by_interactions
from endcap_components.build_training_set.purchases import BuyerCounts, divide_by_user, first_purchases, part_of

ROWS_A_PART = 2_000_000


@dataclass(frozen=True)
class UserParts:
    """Makes examples, sequences and the eligible items.

    Attributes:
        purchases_file, anonymous_file: as `endcap_components.build_training_set.purchases.write_purchases` leaves them.
        interactions_file: as `endcap_components.build_training_set.interactions.write_interactions` leaves it; None for purchases only.
        moments: of the training set.
        user_rows: reads the user features point in time.
        item_index: columns item_id, item_index.
        vocabularies: by USER_CATEGORICAL column.
        target_days: how far targets reach from a snapshot.
        min_buyers: items that fewer users bought are not eligible.
        eligible_by: whether buyers count, or all people and visits that did anything with an item.
    """

    purchases_file: Path
    anonymous_file: Path
    interactions_file: Path | None
    moments: Moments
    user_rows: UserRows
    item_index: pl.DataFrame
    vocabularies: dict[str, Vocabulary]
    target_days: int
    min_buyers: int
    eligible_by: EligibleBy = "purchases"

    def write(self, folder: Path) -> ExampleManifest:
        """Write `examples/`, `sequences/` and `eligible.parquet`."""
        examples = ExampleShardWriter(folder / "examples", len(self.item_index))
        sequences = SequenceShardWriter(folder / "sequences")
        buyers = BuyerCounts(self.moments.full, len(self.item_index))
        for part, purchases in _parts(self.purchases_file, folder):
            first = first_purchases(purchases)
            buyers.add(first)
            if self.interactions_file is None:
                sequences.write(user_sequences(purchases.with_columns(pl.lit(PURCHASE_CODE, dtype=pl.UInt8).alias("signal"))), part)
            self._write_examples(purchases, first, examples, part)
        if self.interactions_file is not None:
            for part, interactions in _parts(self.interactions_file, folder):
                sequences.write(user_sequences(interactions), part)
        sequences.close()
        buyers.add_visits(self.anonymous_file)
        self._eligible(buyers).write_parquet(folder / "eligible.parquet")
        return examples.close()

    def _eligible(self, buyers: BuyerCounts) -> pl.DataFrame:
        if self.eligible_by == "purchases" or self.interactions_file is None:
            return buyers.eligible(self.min_buyers)
        return eligible_by_interactions(self.interactions_file, self.moments.full, self.min_buyers)

    def _write_examples(self, purchases: pl.DataFrame, first: pl.DataFrame, writer: ExampleShardWriter, part: int) -> None:
        """As many snapshots at once as need at most KEYS_AT_ONCE feature rows."""
        at_once = max(1, KEYS_AT_ONCE // max(1, purchases["user_id"].n_unique()))
        for start in range(0, len(self.moments.snapshots), at_once):
            snapshots: tuple[datetime, ...] = self.moments.snapshots[start : start + at_once]
            targets = targets_of(purchases, first, snapshots, self.target_days)
            made = retrieval_examples(
                first,
                targets,
                snapshots=snapshots,
                user_rows=self.user_rows,
                item_index=self.item_index,
                vocabularies=self.vocabularies,
            )
            for place, examples in enumerate(made, start):
                writer.write(examples, place, part)


def _parts(file: Path, folder: Path) -> Iterator[tuple[int, pl.DataFrame]]:
    """Rows of some users at a time, and the number of each part."""
    rows = pl.scan_parquet(file)
    lengths = rows.select(pl.col("user_id").approx_n_unique().alias("users"), pl.len().alias("rows"))
    users, length = lengths.collect(engine="streaming").row(0)
    parts = max(1, math.ceil(users / USERS_A_SHARD), math.ceil(length / ROWS_A_PART))
    with tempfile.TemporaryDirectory(prefix="parts-", dir=folder) as divided:
        divide_by_user(file, Path(divided), parts)
        for part in range(parts):
            yield part, part_of(Path(divided), part, rows.collect_schema())


def user_sequences(interactions: pl.DataFrame) -> UserSequences:
    """Interactions by user and time, as `endcap_components.build_training_set.purchases.part_of` gives them, as sequences."""
    lengths = interactions.group_by("user_id", maintain_order=True).len()
    return UserSequences(
        user_id=lengths["user_id"].to_numpy().astype(np.str_),
        start=np.concatenate([[0], np.cumsum(lengths["len"].to_numpy())]).astype(np.int64),
        item_index=interactions["item_index"].to_numpy(),
        occurred_at=interactions["occurred_at"].dt.epoch("s").to_numpy(),
        taken_off_at=interactions["taken_off_at"].dt.epoch("s").fill_null(KEPT).to_numpy(),
        signal=interactions["signal"].to_numpy(),
    )
