"""One run of the training pipeline in a folder of its own, and what its parts recommend: the chain that a bundle of the run serves."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap.algorithms.interactions import Interactions
from endcap.catalogue.item_table import ItemTable
from endcap.contracts.event_type import EventType
from endcap.contracts.moment import DAY_S
from endcap.contracts.training_plan import Timetable
from endcap.core.errors import DataRejected
from endcap.core.files import replacing_file
from endcap.core.settings import RetrievalSettings
from endcap.engine.retrieval.user_state import UserState, user_state
from endcap.evaluation.ranked_lists import ScoredPairs
from endcap.evaluation.user_items import UserItems, contains, pair_keys
from endcap.features.snapshots import FeatureOptions

SECONDS_FILE = "seconds.json"
SCORING = "scores"
"""The step that makes the candidates of a task's users."""
_PROBABILITY = "probability_"
USERS_A_BLOCK = 1024
"""Candidates of so many users lie in memory at once."""


@dataclass(frozen=True)
class PipelineRun:
    """A run and its folder; steps whose artifact is there are not run again.

    Attributes:
        folder: artifacts go here, a folder a step.
        seed: of everything random.
        quotas: candidates a source.
        ranker: hyperparameters of the ranker that replace the defaults.
        two_tower: the same of the two-tower.
    """

    folder: Path
    seed: int
    quotas: RetrievalSettings = field(default_factory=RetrievalSettings)
    ranker: Mapping[str, Any] = field(default_factory=dict)
    two_tower: Mapping[str, Any] = field(default_factory=dict)

    def train(self, options: FeatureOptions, times: Timetable | None = None) -> None:
        """The steps of the training pipeline in its order, on the dataset in `folder`/dataset, with the features of the folder.

        Args:
            options: which snapshots are made.
            times: how the data's time is cut, where a plan is to say what is trained; without one everything is.

        Raises:
            DataRejected: the dataset cannot be used, or is too short.
        """
        from endcap.dataset.layout import open_dataset
        from endcap.training.planning.planning import Requested, plan_training
        from endcap_components.build_features.step import build_features_step
        from endcap_components.build_tables.step import build_tables
        from endcap_components.build_training_set.feature_rows import FolderRows
        from endcap_components.build_training_set.step import build_training_set
        from endcap_components.train_ranker.hyperparameters import RankerHyperparameters
        from endcap_components.train_ranker.step import train_ranker
        from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters
        from endcap_components.train_two_tower.step import train_two_tower

        place = self.folder
        dataset, features, training = place / "dataset", place / "features", place / "training"
        tables, encoder, ranked = place / "tables", place / "two_tower", place / "ranker"
        plan = plan_training(open_dataset(dataset), Requested(times=times)) if times else None
        parameters, tower = RankerHyperparameters.of(dict(self.ranker)), TwoTowerHyperparameters.of(dict(self.two_tower))
        self.made(features, lambda: build_features_step(dataset, features, options))
        self.made(training, lambda: build_training_set(dataset, features, training, user_rows=FolderRows(features), plan=plan))
        self.made(tables, lambda: build_tables(training, tables))
        self.made(encoder, lambda: train_two_tower(training, encoder, tower, self.seed))
        self.made(
            ranked, lambda: train_ranker(training, tables, encoder, ranked, parameters=parameters, quotas=self.quotas, seed=self.seed)
        )

    def made(self, path: Path, make: Callable[[], object], step: str = "") -> None:
        """Make an artifact that is missing, and note what it took under the step's name, the artifact's where none is given."""
        if path.exists():
            return
        with self.timed(step or path.name):
            make()

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Note what something took."""
        started = time.perf_counter()
        yield
        seconds = {**self.seconds, name: round(time.perf_counter() - started, 1)}
        (self.folder / SECONDS_FILE).write_text(json.dumps(seconds), encoding="utf-8")

    @property
    def seconds(self) -> dict[str, float]:
        """By step."""
        file = self.folder / SECONDS_FILE
        return json.loads(file.read_bytes()) if file.is_file() else {}


@dataclass(frozen=True)
class RankedUsers:
    """The best candidates of every user; who is unknown to the run has none.

    Attributes:
        pairs: those of a user together.
        probabilities: float32 [p] by objective.
        value: float32 [p], what the ranker orders by.
        nearest: the two-tower alone.
    """

    pairs: UserItems
    probabilities: Mapping[str, NDArray[np.float32]]
    value: NDArray[np.float32]
    nearest: ScoredPairs

    @property
    def ordered(self) -> ScoredPairs:
        """In the ranker's order."""
        return ScoredPairs(self.pairs, self.value.astype(np.float64))

    def write(self, file: Path) -> None:
        """Keep them for the next list of the run."""
        near = self.nearest
        arrays: dict[str, Any] = {
            "row": self.pairs.user_row,
            "item": self.pairs.item_index,
            "value": self.value,
            "users": np.array(self.pairs.users),
        }
        arrays |= {"near_row": near.pairs.user_row, "near_item": near.pairs.item_index, "near_score": near.score}
        arrays |= {_PROBABILITY + name: values for name, values in self.probabilities.items()}
        with replacing_file(file) as aside, aside.open("wb") as stream:
            np.savez(stream, **arrays)

    @classmethod
    def read(cls, file: Path) -> "RankedUsers":
        """What `write` kept."""
        with np.load(file) as kept:
            users = int(kept["users"])
            return cls(
                UserItems(kept["row"], kept["item"], users),
                {name.removeprefix(_PROBABILITY): kept[name] for name in kept.files if name.startswith(_PROBABILITY)},
                kept["value"],
                ScoredPairs(UserItems(kept["near_row"], kept["near_item"], users), kept["near_score"]),
            )

    def without(self, hidden: UserItems) -> "RankedUsers":
        """Without pairs that lists leave out."""
        kept = ~contains(hidden.keys, pair_keys(self.pairs.user_row, self.pairs.item_index))
        probabilities = {name: values[kept] for name, values in self.probabilities.items()}
        return RankedUsers(self.pairs.where(kept), probabilities, self.value[kept], self.nearest.new_to_user(hidden))


class ServedChain:
    """What a bundle of the run does with a request: sources, their union and the ranker, with exact search in the place of the index."""

    def __init__(self, run: PipelineRun, *, seen_to_the_end: bool) -> None:
        """Args:
        run: trained.
        seen_to_the_end: whether people are known to the data's end, later than what tables and models learned from; else to the cut.
        """
        from endcap.training.moment_tables import TablesArtifact
        from endcap.training.scoring import RankerArtifact, TwoTowerArtifact, evaluation_context
        from endcap.training.training_set import TrainingSet

        self._training = TrainingSet(run.folder / "training")
        manifest = self._training.manifest
        learned_at, seen_at = manifest.cut, manifest.data_end if seen_to_the_end else manifest.cut
        self._two_tower = TwoTowerArtifact(run.folder / "two_tower")
        self._ranker = RankerArtifact(run.folder / "ranker")
        self._tables = TablesArtifact(run.folder / "tables").at(learned_at)
        self._eligible = self._training.eligible_at(learned_at)
        self._context = evaluation_context(seen_at)
        self._seen_at, self._run = seen_at, run
        self.items = self._training.items_at(learned_at)
        self.embeddings = self._two_tower.item_embeddings_at(learned_at)

    def people(self, user_ids: Sequence[str]) -> list[UserState | None]:
        """People as they are known then; None for who is not."""
        users = self._training.users_at(self._seen_at)
        states = dict(zip(users.user_ids, users.states, strict=True))
        return [states.get(user_id) for user_id in user_ids]

    def visitors(self, histories: Interactions, items: ItemTable) -> list[UserState | None]:
        """Visitors of whom their visit is known and nothing else, each at its newest event; what they did were looks.

        Args:
            histories: of visits, their ages as of that event.
            items: whose indices they are in.
        """
        now, names = self._seen_at, items.ids.names
        ids = [names[index - 1] for index in histories.item_index.tolist()]
        seconds = (now.timestamp() - histories.age_days.astype(np.float64) * DAY_S).astype(np.int64).tolist()
        vocabularies, view = self._training.user_vocabularies, EventType.PRODUCT_VIEW.value

        def visitor(start: int, end: int) -> UserState:
            looks = [view] * (end - start)
            return user_state(None, self.items, vocabularies, now, ids[start:end], looks, session_occurred_at=seconds[start:end])

        return [visitor(start, end) for start, end in pairwise(histories.start.tolist())]

    @property
    def objectives(self) -> list[str]:
        return self._ranker.objectives

    @property
    def value(self) -> Mapping[str, float]:
        """What the ranker's own order is of."""
        return self._ranker.value

    def ranked(
        self, states: Callable[[], Sequence[UserState | None]], depths: NDArray[np.int64], allowed: NDArray[np.bool_]
    ) -> RankedUsers:
        """Candidates of the task's users; another list of the run finds them there.

        Args:
            states: makes the users, where their candidates are not there yet: `people` or `visitors`.
            depths: int64 [users], most candidates to keep.
            allowed: bool [n + 1], items that may be recommended.

        Raises:
            DataRejected: the run knows nobody of them.
        """
        # A run is of one task, whose depths grow with the lists' depth: their sum tells deeper ones apart.
        file = self._run.folder / f"ranked-{int(depths.sum())}.npz"
        self._run.made(file, lambda: self._ranked(states(), depths, allowed).write(file), SCORING)
        return RankedUsers.read(file)

    def _ranked(self, states: Sequence[UserState | None], depths: NDArray[np.int64], allowed: NDArray[np.bool_]) -> RankedUsers:
        everybody = {row: state for row, state in enumerate(states) if state is not None}
        known = np.array(list(everybody), dtype=np.intp)
        if not len(known):
            raise DataRejected("the run knows none of the users", field="--models", value="full_pipeline", fix="judge people who are known")
        blocks = [known[start : start + USERS_A_BLOCK] for start in range(0, len(known), USERS_A_BLOCK)]
        parts = [self._block(rows, [everybody[row] for row in rows.tolist()], depths[rows], self._eligible & allowed) for rows in blocks]

        def joined(name: str) -> NDArray[Any]:
            return np.concatenate([part[name] for part in parts])

        return RankedUsers(
            UserItems(joined("row"), joined("item"), len(states)),
            {name: joined(name) for name in self.objectives},
            joined("value"),
            ScoredPairs(UserItems(joined("near_row"), joined("near_item"), len(states)), joined("near_score")),
        )

    def _block(
        self, rows: NDArray[np.intp], states: Sequence[UserState], depths: NDArray[np.int64], eligible: NDArray[np.bool_]
    ) -> dict[str, NDArray[Any]]:
        """Columns of the candidates of some users."""
        from endcap.training.candidates import candidate_sets, nearest_items
        from endcap.training.scoring import score_candidates
        from endcap_components.evaluate.model_scores import ranked_pairs

        queries = self._two_tower.encode(states, self._context)
        vocabularies, neighbours = self._training.user_vocabularies, self._tables.neighbours
        found = candidate_sets(states, queries, self.embeddings, self._tables, self._run.quotas, eligible, vocabularies)
        by_user = score_candidates(self._ranker.signature, states, queries, found, self.items, neighbours, self._context)
        ranked = ranked_pairs(by_user, found, self.value)
        pairs, value = ranked.scores.pairs, ranked.scores.score
        best = np.lexsort((pairs.item_index, -value, pairs.user_row))
        place = np.arange(len(best)) - np.searchsorted(pairs.user_row, pairs.user_row)
        kept = best[place < depths[pairs.user_row]]
        nearest = ScoredPairs.of(list(nearest_items(queries, self.embeddings, eligible, int(depths.max()))))
        return {
            "row": rows[pairs.user_row[kept]],
            "item": pairs.item_index[kept],
            "value": value[kept].astype(np.float32),
            **{name: values[kept] for name, values in ranked.probabilities.items()},
            "near_row": rows[nearest.pairs.user_row],
            "near_item": nearest.pairs.item_index,
            "near_score": nearest.score,
        }
