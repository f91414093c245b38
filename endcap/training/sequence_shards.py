"""Shards of sequences on disk: everything each person or anonymous visit did, in order; one stands in one shard."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from endcap.training.shard_files import read_manifest, read_shard, write_shard
from endcap.training.workers import shares

MANIFEST_NAME = "shards.json"
OPEN_SHARDS_MAX = 4
SCHEMA = pa.schema(
    [
        pa.field("user_id", pa.string()),
        pa.field("item_index", pa.list_(pa.int32())),
        pa.field("occurred_at", pa.list_(pa.int64())),
        pa.field("taken_off_at", pa.list_(pa.int64())),
        pa.field("signal", pa.list_(pa.uint8())),
    ]
)

KEPT = np.iinfo(np.int64).max
"""`taken_off_at` of what was never taken off by returns or cancellations."""


@dataclass(frozen=True)
class UserSequences:
    """What u people and visits did, p interactions in all.

    Attributes:
        user_id: str [u].
        start: int64 [u + 1]; interactions of user r are start[r] to start[r + 1].
        item_index: int32 [p], oldest first.
        occurred_at: int64 [p], UTC epoch seconds.
        taken_off_at: int64 [p], when returns or cancellations left nothing of it; KEPT where something is left.
        signal: uint8 [p], codes of `endcap.contracts.signals`.
    """

    user_id: NDArray[np.str_]
    start: NDArray[np.int64]
    item_index: NDArray[np.int32]
    occurred_at: NDArray[np.int64]
    taken_off_at: NDArray[np.int64]
    signal: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.user_id)

    @property
    def row(self) -> NDArray[np.int64]:
        """int64 [p], the user of each interaction, ascending."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))

    def before(self, moment: datetime) -> "UserSequences":
        """The same users with what they had done and kept as of a moment; users with nothing by then are left out."""
        kept = (self.occurred_at < moment.timestamp()) & (self.taken_off_at >= moment.timestamp())
        count = np.bincount(self.row[kept], minlength=len(self))
        some = count > 0
        start = np.concatenate([[0], np.cumsum(count[some])]).astype(np.int64)
        return self._at(self.user_id[some], start, np.flatnonzero(kept))

    def take(self, users: NDArray[np.int64]) -> "UserSequences":
        """The users at some places, in the order asked for."""
        count = self.start[users + 1] - self.start[users]
        start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
        place = np.repeat(self.start[users] - start[:-1], count) + np.arange(start[-1])
        return self._at(self.user_id[users], start, place)

    def _at(self, user_id: NDArray[np.str_], start: NDArray[np.int64], place: NDArray[np.int64]) -> "UserSequences":
        columns = (self.item_index[place], self.occurred_at[place], self.taken_off_at[place], self.signal[place])
        return UserSequences(user_id, start, *columns)

    @classmethod
    def concatenated(cls, parts: Sequence["UserSequences"]) -> "UserSequences":
        """The users of several parts, one after the other; at least one part."""
        counts = np.concatenate([np.diff(part.start) for part in parts])
        return cls(
            np.concatenate([part.user_id for part in parts]),
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            np.concatenate([part.item_index for part in parts]),
            np.concatenate([part.occurred_at for part in parts]),
            np.concatenate([part.taken_off_at for part in parts]),
            np.concatenate([part.signal for part in parts]),
        )


class SequenceShard(BaseModel):
    """One shard."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str = Field(description="Name in the folder.")
    users: int = Field(ge=1)
    interactions: int = Field(ge=1)


class SequenceManifest(BaseModel):
    """`shards.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shards: list[SequenceShard]


class SequenceShardWriter:
    """Writes shards one at a time."""

    def __init__(self, folder: Path) -> None:
        """`folder` is to be made."""
        folder.mkdir(parents=True)
        self._folder = folder
        self._shards: list[SequenceShard] = []

    def write(self, sequences: UserSequences, part: int) -> None:
        """Write a part of the users; without users there is no shard."""
        if not len(sequences):
            return
        file = f"{part:05}.parquet"
        start = sequences.start.astype(np.int32)
        columns = (sequences.item_index, sequences.occurred_at, sequences.taken_off_at, sequences.signal)
        lists = [pa.ListArray.from_arrays(start, pa.array(values)) for values in columns]
        write_shard(pa.Table.from_arrays([pa.array(sequences.user_id), *lists], schema=SCHEMA), self._folder / file)
        self._shards.append(SequenceShard(file=file, users=len(sequences), interactions=len(sequences.item_index)))

    def close(self) -> None:
        """Write the manifest."""
        manifest = SequenceManifest(shards=self._shards)
        (self._folder / MANIFEST_NAME).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")


@dataclass(frozen=True)
class SequenceShards:
    """Shards to read; a part of a folder's."""

    folder: Path
    shards: tuple[SequenceShard, ...]

    @classmethod
    def of(cls, folder: Path) -> "SequenceShards":
        """All shards of a folder.

        Raises:
            DataRejected: it has no manifest of this version.
        """
        return cls(folder, tuple(read_manifest(folder / MANIFEST_NAME, SequenceManifest).shards))

    @property
    def users(self) -> int:
        return sum(shard.users for shard in self.shards)

    def of_worker(self, index: int, count: int) -> "SequenceShards":
        """One worker's part, nearly equal in users: the parts of all workers make the whole."""
        return replace(self, shards=tuple(shares(self.shards, [shard.users for shard in self.shards], count)[index]))

    def read(self, shard: SequenceShard) -> UserSequences:
        """One shard's users.

        Raises:
            DataRejected: the file is missing or broken, or holds something else than the manifest says.
        """
        table = read_shard(self.folder / shard.file, shard.users, SCHEMA.names)
        counts = pc.list_value_length(table["item_index"]).to_numpy()
        start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        columns = [pc.list_flatten(table[name]).to_numpy() for name in ("item_index", "occurred_at", "taken_off_at", "signal")]
        return UserSequences(table["user_id"].to_numpy().astype(np.str_), start, *columns)

    def stream(self) -> Iterator[UserSequences]:
        """Every user once, a shard at a time, in the order of the files."""
        for shard in self.shards:
            yield self.read(shard)

    def shuffled(self, batch_users: int, rng: np.random.Generator) -> Iterator[UserSequences]:
        """Every user once, in batches whose order and users `rng` decides; at most OPEN_SHARDS_MAX shards lie in memory.

        The last batch of every OPEN_SHARDS_MAX shards may be smaller.
        """
        order = rng.permutation(len(self.shards))
        for first in range(0, len(order), OPEN_SHARDS_MAX):
            opened = UserSequences.concatenated([self.read(self.shards[place]) for place in order[first : first + OPEN_SHARDS_MAX]])
            users = rng.permutation(len(opened))
            for start in range(0, len(users), batch_users):
                yield opened.take(users[start : start + batch_users])
