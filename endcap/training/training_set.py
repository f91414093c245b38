"""The training artifact: everything the models are trained and evaluated on, written once, read lazily.

| file | what it holds |
| --- | --- |
| `training.json` | `TrainingManifest`: moments, limits and counts |
| `items.parquet` | the canonical items, sorted by item id: row r has item index r + 1; `family_id` is derived where the shop names none |
| `item_features.parquet` | item_id, event_timestamp, ITEM_NUMERIC at every moment and retrieval snapshot |
| `user_rows.parquet` | user_id, event_timestamp, the user and user x item columns at the ranking windows, the cut and the data's end |
| `labels.parquet` | event_timestamp, user_id, item_index, baskets: kept purchases within the horizon after each window and the cut |
| `purchases.parquet` | user_id, item_index, occurred_at, session_id, device, taken_off_at: what models and tables learn from |
| `anonymous.parquet` | the same of purchases without a user; `user_id` is the visit's, of a form that no user's has |
| `interactions.parquet` | user_id, item_index, occurred_at, session_id, signal, taken_off_at: typed, where there are more than purchases |
| `shown.parquet` | places of lists that persons were shown after the first window: `endcap.training.shown_lists` |
| `eligible.parquet` | event_timestamp, item_index: items bought by at least `min_buyers` users before the moment, or as many interactions |
| `vocabularies.json` | names behind the user categories' codes |
| `examples/` | what the two-tower learns from: `endcap.training.example_shards` |
| `sequences/` | each user's purchases, or each person's and visit's interactions, in order: `endcap.training.sequence_shards` |
"""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from endcap.catalogue.item_attributes import attribute_codes
from endcap.catalogue.item_table import ItemTable
from endcap.catalogue.vocabulary import Vocabulary
from endcap.contracts.moment import UtcMoment
from endcap.contracts.signals import PURCHASE_CODE, Signals
from endcap.contracts.training_plan import RANKER, EligibleBy, TrainingPlan
from endcap.core.errors import DataRejected
from endcap.engine.retrieval.user_state import UserState, user_state
from endcap.features.columns import USER_CATEGORICAL
from endcap.training.example_shards import ExampleShards
from endcap.training.sequence_shards import SequenceShards
from endcap.training.shown_lists import SHOWN_NAME, ShownLists

MANIFEST_NAME = "training.json"
INTERACTIONS_NAME = "interactions.parquet"


class TrainingManifest(BaseModel):
    """`training.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data_start: UtcMoment = Field(description="First event.")
    data_end: UtcMoment = Field(description="The snapshot just after the last event: what is served.")
    cut: UtcMoment = Field(description="No weight sees anything from here on; the truth of the evaluation starts here.")
    ranking_windows: list[UtcMoment] = Field(description="Moments the ranker's examples are of, oldest first.")
    snapshots: list[UtcMoment] = Field(description="Moments the two-tower's examples are of, oldest first.")
    horizon_days: int = Field(ge=1, description="Labels are purchases in so many days after a ranking window.")
    target_days: int = Field(ge=1, description="Targets of the two-tower are purchases in so many days after a snapshot.")
    min_buyers: int = Field(ge=1, description="Items that fewer users bought are neither candidates nor truth.")
    dataset_fingerprint: str
    plan: TrainingPlan | None = Field(None, description="What is trained on it; None where nobody worked it out: everything.")
    signals: Signals = Field(Signals(), description="How much each type of event teaches.")
    shortened: int = Field(0, ge=0, description="People and visits with so many interactions that only the newest are learned from.")
    users: int = Field(ge=0, description="People with a sequence.")
    visits: int = Field(0, ge=0, description="Visits of nobody known with a sequence.")
    shown: ShownLists | None = Field(None, description="What persons were shown in lists; None where the ranker has nothing of it.")
    items: int = Field(ge=0)
    examples: int = Field(ge=0)
    targets: int = Field(ge=0)

    def taught_by(self) -> dict[str, float]:
        """Weights of the event types in the data that teach; empty where purchases are all."""
        kinds = self.plan.facts.signals if self.plan is not None else {}
        weights: dict[str, float] = {name: getattr(self.signals, name).weight for name in kinds}
        return {name: weight for name, weight in weights.items() if weight}

    def next_of(self) -> list[str]:
        """Event types of which the two-tower learns to find the next one."""
        return [] if self.plan is None else self.plan.objectives

    @property
    def ranks_visits(self) -> bool:
        """Whether the ranker learns what comes next in visits, in the place of purchases."""
        return self.plan is not None and self.plan.ranks == "visits"

    def notes(self) -> list[str]:
        """Where events are not used as asked for, as sentences."""
        notes = [] if self.plan is None else list(self.plan.notes)
        if self.plan is not None and self.ranks_visits:
            notes.append(f"the ranker {self.plan.parts[RANKER].reason}")
        if self.shown is not None:
            notes.append(self.shown.note())
        if self.shortened:
            notes.append(f"{self.shortened:,} people and visits did so much that only the newest of it is learned from")
        return notes

    def eligible_by(self) -> EligibleBy:
        """Who makes an item a candidate."""
        return "purchases" if self.plan is None else self.plan.eligible_by

    def left_out(self) -> dict[str, str]:
        """Why parts of the bundle are not trained, by name."""
        return {} if self.plan is None else self.plan.left_out()

    def untrained(self, part: str) -> str | None:
        """Why a part of the bundle is not trained; None where it is."""
        return self.left_out().get(part)


@dataclass(frozen=True)
class UsersAt:
    """Users as they were at one moment: ids and states in the same order."""

    moment: datetime
    user_ids: list[str]
    states: list[UserState]

    def __len__(self) -> int:
        return len(self.user_ids)

    def at(self, rows: NDArray[np.intp]) -> "UsersAt":
        """Some of them, in the order of `rows`."""
        return UsersAt(self.moment, [self.user_ids[row] for row in rows], [self.states[row] for row in rows])


@dataclass(frozen=True)
class TrainingSet:
    """A training artifact on disk; each property reads its file at first use."""

    path: Path

    @cached_property
    def manifest(self) -> TrainingManifest:
        """What the artifact is about.

        Raises:
            DataRejected: there is no training set here, or it was written by another version.
        """
        try:
            return TrainingManifest.model_validate_json((self.path / MANIFEST_NAME).read_bytes())
        except (FileNotFoundError, ValidationError) as error:
            raise DataRejected(
                "not a training set of this version", field=str(self.path), fix="run the step build_training_set again"
            ) from error

    @cached_property
    def item_rows(self) -> pl.DataFrame:
        """The canonical items, sorted by item id."""
        return pl.read_parquet(self.path / "items.parquet")

    @cached_property
    def items(self) -> ItemTable:
        """The catalogue without numeric features."""
        return ItemTable.from_items(self.item_rows)

    @cached_property
    def attribute_codes(self) -> NDArray[np.int32]:
        """int32 [n + 1, a], of the items: `endcap.catalogue.item_attributes.attribute_codes`."""
        return attribute_codes(self.item_rows)

    def items_at(self, moment: datetime) -> ItemTable:
        """The catalogue with the numeric features of one moment."""
        return self.items.with_features(self.item_features_at(moment))

    def item_features_at(self, moment: datetime) -> pl.DataFrame:
        """The numeric features of one moment: item_id and the columns of ITEM_NUMERIC."""
        return self._at("item_features.parquet", moment).drop("event_timestamp")

    @cached_property
    def user_vocabularies(self) -> dict[str, Vocabulary]:
        """By USER_CATEGORICAL column."""
        names = json.loads((self.path / "vocabularies.json").read_text(encoding="utf-8"))["user"]
        return {column: Vocabulary(tuple(names[column])) for column in USER_CATEGORICAL}

    def users_at(self, moment: datetime) -> UsersAt:
        """The users' states as of a ranking window, the cut or the data's end, by user id."""
        rows = self.user_rows_at(moment)
        states = [user_state(row, self.items, self.user_vocabularies, moment) for row in rows.iter_rows(named=True)]
        return UsersAt(moment, rows["user_id"].to_list(), states)

    def user_rows_at(self, moment: datetime) -> pl.DataFrame:
        """The user and user x item columns of the same moments, by user id."""
        return self._at("user_rows.parquet", moment).sort("user_id")

    def user_ids_at(self, moment: datetime) -> pl.Series:
        """The ids of the same users, ascending; none of the other columns is read."""
        rows = pl.scan_parquet(self.path / "user_rows.parquet").filter(pl.col("event_timestamp") == moment)
        return rows.select("user_id").collect()["user_id"].sort()

    def labels_at(self, moment: datetime) -> pl.DataFrame:
        """Columns user_id, item_index (int32), baskets (int32): purchases in `horizon_days` from `moment`."""
        return self._at("labels.parquet", moment).drop("event_timestamp")

    def eligible_at(self, moment: datetime) -> NDArray[np.bool_]:
        """bool [n + 1]: items that at least `min_buyers` users had bought before `moment`."""
        mask = np.zeros(len(self.items), dtype=bool)
        mask[self._at("eligible.parquet", moment)["item_index"].to_numpy()] = True
        return mask

    @cached_property
    def purchases(self) -> pl.DataFrame:
        """Columns user_id, item_index (int32), occurred_at, session_id, device, taken_off_at; oldest first, to the data's end."""
        return pl.read_parquet(self.path / "purchases.parquet")

    @cached_property
    def purchases_of_all(self) -> pl.DataFrame:
        """The same and those of nobody known, a visit of whom stands for a user; what tables are counted from."""
        anonymous = self.path / "anonymous.parquet"
        others = pl.read_parquet(anonymous) if anonymous.is_file() else self.purchases.clear()
        return self.purchases if others.is_empty() else pl.concat([self.purchases, others]).sort("occurred_at", maintain_order=True)

    @property
    def has_signals(self) -> bool:
        """Whether anything but purchases teaches."""
        return (self.path / INTERACTIONS_NAME).is_file()

    @property
    def interactions(self) -> pl.LazyFrame:
        """Columns user_id (a visit's id behind VISIT_PREFIX where nobody is known), item_index (int32), occurred_at, session_id, signal
        (uint8), taken_off_at, to the data's end: to be streamed. Without other signals the purchases, with those of nobody known."""
        if self.has_signals:
            return pl.scan_parquet(self.path / INTERACTIONS_NAME)
        files = [self.path / name for name in ("purchases.parquet", "anonymous.parquet") if (self.path / name).is_file()]
        purchase = pl.lit(PURCHASE_CODE, dtype=pl.UInt8).alias("signal")
        return pl.scan_parquet(files).select("user_id", "item_index", "occurred_at", "session_id", purchase, "taken_off_at")

    @cached_property
    def shown(self) -> pl.DataFrame | None:
        """Columns of SHOWN_SCHEMA; None where it is not enough to weigh examples by."""
        known = self.manifest.shown
        return pl.read_parquet(self.path / SHOWN_NAME) if known is not None and known.are_enough else None

    @cached_property
    def examples(self) -> ExampleShards:
        """The two-tower's examples, to be streamed."""
        return ExampleShards.of(self.path / "examples")

    @cached_property
    def sequences(self) -> SequenceShards:
        """What each user bought, or each person and visit did, to the data's end; to be streamed."""
        return SequenceShards.of(self.path / "sequences")

    def _at(self, name: str, moment: datetime) -> pl.DataFrame:
        return pl.scan_parquet(self.path / name).filter(pl.col("event_timestamp") == moment).collect()
