"""Shards of retrieval examples on disk: each of one snapshot and a part of the users.

A folder holds the shards, `shards.json` that lists them, and `target_counts.npy`.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from endcap.core.errors import DataRejected, InvalidInput
from endcap.features.columns import USER_NUMERIC
from endcap.training.normalisation import RunningStandardisation, Standardisation
from endcap.training.retrieval_examples import EXAMPLE_SCHEMA, RetrievalExamples
from endcap.training.shard_files import FIX, read_manifest, read_shard, write_shard
from endcap.training.workers import shares

MANIFEST_NAME, COUNTS_NAME = "shards.json", "target_counts.npy"


class ExampleShard(BaseModel):
    """One shard."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str = Field(description="Name in the folder.")
    snapshot: int = Field(ge=0, description="Place of the examples' moment in the training set's snapshots.")
    examples: int = Field(ge=1)
    targets: int = Field(ge=0)


class ExampleManifest(BaseModel):
    """`shards.json`: the shards by snapshot, and what fitting needs to know of all examples before it reads the first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shards: list[ExampleShard]
    user_numeric_mean: list[float] = Field(description="Of the signed logs, by USER_NUMERIC column.")
    user_numeric_deviation: list[float]


class ExampleShardWriter:
    """Writes shards one at a time; the statistics are gathered on the way, so that no example is kept."""

    def __init__(self, folder: Path, item_count: int) -> None:
        """
        Args:
            folder: to be made.
            item_count: n, items of the catalogue.
        """
        folder.mkdir(parents=True)
        self._folder = folder
        self._shards: list[ExampleShard] = []
        self._target_count = np.zeros(item_count + 1, dtype=np.int64)
        self._user_numeric = RunningStandardisation(len(USER_NUMERIC))

    def write(self, examples: RetrievalExamples, snapshot: int, part: int) -> None:
        """Write the examples of a snapshot and a part of the users; without examples there is no shard."""
        if not len(examples):
            return
        file = f"{snapshot:04}-{part:05}.parquet"
        write_shard(examples.table(), self._folder / file)
        self._shards.append(ExampleShard(file=file, snapshot=snapshot, examples=len(examples), targets=len(examples.target_index)))
        np.add.at(self._target_count, examples.target_index, 1)
        self._user_numeric.add(examples.user_numeric)

    def close(self) -> ExampleManifest:
        """Write what the shards' readers need beside them."""
        numeric = self._user_numeric.standardisation()
        manifest = ExampleManifest(
            shards=sorted(self._shards, key=lambda shard: shard.file),
            user_numeric_mean=numeric.mean.tolist(),
            user_numeric_deviation=numeric.deviation.tolist(),
        )
        np.save(self._folder / COUNTS_NAME, self._target_count)
        (self._folder / MANIFEST_NAME).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
        return manifest


@dataclass(frozen=True)
class ExampleShards:
    """Shards to read; a part of a folder's.

    Attributes:
        folder: where they are.
        manifest: of all shards of the folder.
        shards: those of this part, oldest snapshot first.
    """

    folder: Path
    manifest: ExampleManifest
    shards: tuple[ExampleShard, ...]

    @classmethod
    def of(cls, folder: Path) -> "ExampleShards":
        """All shards of a folder.

        Raises:
            DataRejected: it has no manifest of this version.
        """
        manifest = read_manifest(folder / MANIFEST_NAME, ExampleManifest)
        return cls(folder, manifest, tuple(manifest.shards))

    def __len__(self) -> int:
        """Examples."""
        return sum(shard.examples for shard in self.shards)

    @property
    def user_numeric(self) -> Standardisation:
        """Of the user features of the whole folder."""
        manifest = self.manifest
        return Standardisation(
            *(np.array(column, dtype=np.float32) for column in (manifest.user_numeric_mean, manifest.user_numeric_deviation))
        )

    @cached_property
    def target_count(self) -> NDArray[np.int64]:
        """int64 [n + 1]: how often each item is a target, in the whole folder.

        Raises:
            DataRejected: the file is missing or broken.
        """
        try:
            counts: NDArray[np.int64] = np.load(self.folder / COUNTS_NAME)
        except (OSError, ValueError) as error:
            raise DataRejected(f"cannot be read: {error}", field=str(self.folder / COUNTS_NAME), fix=FIX) from error
        return counts

    def newest(self, snapshot_share: float, examples_max: int) -> "ExampleShards":
        """The shards of the newest snapshots, as many whole shards as hold at most `examples_max` examples, but at least one."""
        snapshots = sorted({shard.snapshot for shard in self.shards})
        if not snapshots:
            return self
        first = snapshots[-max(1, round(len(snapshots) * snapshot_share))]
        kept: list[ExampleShard] = []
        examples = 0
        for shard in reversed(self.shards):
            examples += shard.examples
            if shard.snapshot < first or (kept and examples > examples_max):
                break
            kept.append(shard)
        return replace(self, shards=tuple(reversed(kept)))

    def of_worker(self, index: int, count: int) -> "ExampleShards":
        """One worker's part, nearly equal in examples: the parts of all workers make the whole.

        Raises:
            InvalidInput: there are fewer shards than workers.
        """
        if len(self.shards) < count:
            raise InvalidInput("more workers than shards of examples", field="workers", value=count, fix=f"use at most {len(self.shards)}")
        own = shares(self.shards, [shard.examples for shard in self.shards], count)[index]
        return replace(self, shards=tuple(own))

    def read(self, shard: ExampleShard, *, bought: bool = True) -> RetrievalExamples:
        """One shard's examples.

        Args:
            shard: which.
            bought: whether what was bought before is read too.

        Raises:
            DataRejected: the file is missing or broken, or holds something else than the manifest says.
        """
        columns = [name for name in EXAMPLE_SCHEMA.names if bought or name != "bought"]
        return RetrievalExamples.of_table(read_shard(self.folder / shard.file, shard.examples, columns))
