"""Ranking examples: what retrieval returned to users at the ranking windows, and what of it they bought."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.catalogue.item_table import ItemTable
from endcap.core.settings import RetrievalSettings
from endcap.engine.ranking.pair_features import pair_features
from endcap.engine.retrieval.candidates import CandidateSet
from endcap.engine.retrieval.item_to_item import Neighbours
from endcap.engine.retrieval.user_state import UserState
from endcap.features.columns import CONTEXT, CONTEXT_SIZES, DEVICES, OBJECTIVES, PAIR_NUMERIC, PURCHASE_OBJECTIVES, SURFACES
from endcap.training.candidates import candidate_sets
from endcap.training.moment_tables import TablesArtifact
from endcap.training.scoring import TwoTowerArtifact
from endcap.training.training_set import TrainingSet, UsersAt
from endcap_components.train_ranker.labels import happened_from, label
from endcap_components.train_ranker.negatives import EVERY_CANDIDATE, KeptShares, drawn_users, thinned
from endcap_components.train_ranker.shown_weights import ShownWeights, shown_within, weights_of_shown


@dataclass(frozen=True)
class RankingExamples:
    """q queries with m candidates in all; a query's candidates stand together, queries by window and user.

    Attributes:
        user: int64 [q], the same number for the same user in every window.
        query_embedding: float32 [q, dim].
        user_numeric: float32 [q, columns]; user_categories: int32 [q, columns]; context: int32 [q, columns].
        start: int64 [q + 1]; candidates of query r are start[r] to start[r + 1].
        item_row: int32 [m], row of the candidate in the stacked item tables: window x (n + 1) + item index.
        pair_numeric: float32 [m, len(PAIR_NUMERIC)].
        objectives: those of OBJECTIVES that the labels are of.
        labels: float32 [m, len(objectives)], 0 or 1.
        weight: float32 [m], how many candidates each stands for: of those that were not bought only some are kept, and of those that were
            shown some had little chance to be.
        is_new: bool [m], whether the user had never bought the item.
        held_out: bool [q], queries of users that fitting must not see; all their candidates are kept.
        item_numeric: float32 [windows x (n + 1), columns], as of each window.
        item_embedding: float32 [windows x (n + 1), dim], as of each window.
    """

    user: NDArray[np.int64]
    query_embedding: NDArray[np.float32]
    user_numeric: NDArray[np.float32]
    user_categories: NDArray[np.int32]
    context: NDArray[np.int32]
    start: NDArray[np.int64]
    item_row: NDArray[np.int32]
    pair_numeric: NDArray[np.float32]
    objectives: tuple[str, ...]
    labels: NDArray[np.float32]
    weight: NDArray[np.float32]
    is_new: NDArray[np.bool_]
    held_out: NDArray[np.bool_]
    item_numeric: NDArray[np.float32]
    item_embedding: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.user)

    @property
    def happened(self) -> dict[str, int]:
        """By objective, the candidates of which it came true."""
        return dict(zip(self.objectives, self.labels.sum(axis=0, dtype=np.int64).tolist(), strict=True))

    @property
    def wanted(self) -> NDArray[np.bool_]:
        """bool [m], candidates of which anything came true."""
        return np.asarray(self.labels.max(axis=1, initial=0) > 0)

    def rows_of(self, queries: NDArray[np.int64]) -> NDArray[np.int64]:
        """int64, rows of the queries' candidates, in the queries' order."""
        return np.concatenate([np.zeros(0, np.int64), *(np.arange(self.start[query], self.start[query + 1]) for query in queries)])

    def batch(self, queries: NDArray[np.int64]) -> dict[str, NDArray]:  # type: ignore[type-arg]
        """Inputs and labels of some queries, candidates in the queries' order."""
        start, end = self.start[queries], self.start[queries + 1]
        rows = self.rows_of(queries)
        item = self.item_row[rows]
        return {
            "query_embedding": self.query_embedding[queries],
            "user_numeric": self.user_numeric[queries],
            "user_categories": self.user_categories[queries],
            "context": self.context[queries],
            "query_row": np.repeat(np.arange(len(queries), dtype=np.int32), end - start),
            "item_embedding": self.item_embedding[item],
            "item_numeric": self.item_numeric[item],
            "pair_numeric": self.pair_numeric[rows],
            "labels": self.labels[rows],
            "weight": self.weight[rows],
            "is_new": self.is_new[rows],
        }

    def batches(self, queries: NDArray[np.int64], size: int) -> Iterator[dict[str, NDArray]]:  # type: ignore[type-arg]
        for start in range(0, len(queries), size):
            yield self.batch(queries[start : start + size])


@dataclass(frozen=True)
class WindowExamples:
    """The examples of one window; columns as of RankingExamples."""

    user_ids: list[str]
    query_embedding: NDArray[np.float32]
    states: list[UserState]
    context: NDArray[np.int32]
    candidates: list[CandidateSet]
    items: ItemTable
    item_embedding: NDArray[np.float32]
    neighbours: Neighbours
    labels: NDArray[np.float32]
    weight: NDArray[np.float32]
    is_new: NDArray[np.bool_]
    held_out: NDArray[np.bool_]


def ranking_examples(
    training: TrainingSet,
    tables: TablesArtifact,
    two_tower: TwoTowerArtifact,
    quotas: RetrievalSettings,
    *,
    queries_max: int,
    kept: KeptShares = EVERY_CANDIDATE,
    held_out_share: float = 0.1,
    objectives: Sequence[str] | None = None,
    seed: int,
) -> RankingExamples:
    """Run retrieval for the users of every ranking window, as serving would have then, and label what it returned.

    Args:
        training: moments, users and labels.
        tables: item-to-item and popularity as of each window.
        two_tower: its targets ended before the first window, so its scores are as honest as in serving.
        quotas: candidates a source and in all, as in serving.
        queries_max: users x windows at most.
        kept: shares of the candidates that were not bought which are kept.
        held_out_share: share of the users that fitting must not see.
        objectives: what labels are of; None for what came true of any candidate.
        seed: of the drawing of users and of contexts.
    """
    rng = np.random.default_rng(seed)
    moments = training.manifest.ranking_windows
    happened = [happened_from(training, moment) for moment in moments]
    known = [_window_users(training, moment, pairs) for moment, pairs in zip(moments, happened, strict=True)]
    everybody = [_drawn(users, queries_max // len(moments), rng) for users in known]
    held_out_users = drawn_users(everybody[-1].user_ids, held_out_share, rng)
    retrieval, windows = Retrieval(training, tables, two_tower, quotas, rng), []
    for users, pairs in zip(everybody, happened, strict=True):
        held_out = np.array([user_id in held_out_users for user_id in users.user_ids])
        labelled = partial(label, users.user_ids, users.states, happened=pairs)
        windows.append(retrieval.window(users, labelled, held_out, kept))
    return stacked(windows, objectives)


@dataclass(frozen=True)
class Retrieval:
    """Makes candidates as serving would have at a moment, and the examples of them.

    Attributes:
        training, tables, two_tower: of the run.
        quotas: candidates a source and in all, as in serving.
        rng: of contexts and of what is left out.
    """

    training: TrainingSet
    tables: TablesArtifact
    two_tower: TwoTowerArtifact
    quotas: RetrievalSettings
    rng: np.random.Generator

    def window(
        self,
        users: UsersAt,
        labelled: Callable[[Sequence[CandidateSet]], NDArray[np.float32]],
        held_out: NDArray[np.bool_],
        kept: KeptShares = EVERY_CANDIDATE,
    ) -> WindowExamples:
        """The examples of some users.

        Args:
            users: whose, and as of which moment.
            labelled: gives float32 [m, len(OBJECTIVES)] of their candidates.
            held_out: bool [users].
            kept: shares of the candidates of which nothing came true that are kept.
        """
        training, moment = self.training, users.moment
        context = random_contexts(len(users), moment.month, self.rng)
        queries, embeddings = self.two_tower.encode(users.states, context), self.two_tower.item_embeddings_at(moment)
        at_moment, eligible = self.tables.at(moment), training.eligible_at(moment)
        found = candidate_sets(users.states, queries, embeddings, at_moment, self.quotas, eligible, training.user_vocabularies)
        labels = labelled(found)
        shown = self._shown(users, found, labels)
        candidates, labels, weight, is_new = thinned(users.states, found, labels, kept, held_out, self.rng, shown)
        return WindowExamples(
            user_ids=users.user_ids,
            query_embedding=queries,
            states=users.states,
            context=context,
            candidates=candidates,
            items=training.items_at(moment),
            item_embedding=embeddings,
            neighbours=at_moment.neighbours,
            labels=labels,
            weight=weight,
            is_new=is_new,
            held_out=held_out,
        )

    def _shown(self, users: UsersAt, found: Sequence[CandidateSet], labels: NDArray[np.float32]) -> ShownWeights | None:
        if self.training.shown is None:
            return None
        within = shown_within(self.training.shown, users.moment, self.training.manifest.horizon_days)
        return weights_of_shown(users.user_ids, found, labels, within)


def _window_users(training: TrainingSet, moment: datetime, happened: Mapping[str, pl.DataFrame]) -> UsersAt:
    """The users of a window; where times say an order only, those who have a step in it: nobody else did nothing, they just ended."""
    users, plan = training.users_at(moment), training.manifest.plan
    if plan is None or plan.knows_times:
        return users
    did = {user_id for pairs in happened.values() for user_id in pairs["user_id"].to_list()}
    return users.at(np.flatnonzero([user_id in did for user_id in users.user_ids]))


def random_contexts(count: int, month: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """int32 [count, len(CONTEXT)]. A label covers weeks, so no hour, day, surface or device explains it, and the ranker must see all of
    them to learn that."""
    limits = {"surface": len(SURFACES), "device": len(DEVICES)}
    columns = [rng.integers(0, limits.get(name, size), count) for name, size in zip(CONTEXT, CONTEXT_SIZES, strict=True)]
    columns[CONTEXT.index("month")] = np.full(count, month)
    return np.stack(columns, axis=1).astype(np.int32)


def _drawn(users: UsersAt, count: int, rng: np.random.Generator) -> UsersAt:
    if len(users) <= count:
        return users
    rows = np.sort(rng.choice(len(users), count, replace=False))
    return users.at(rows)


def _reached(labels: NDArray[np.float32]) -> tuple[str, ...]:
    """Objectives that came true of any candidate; purchases where none did, so that there is something to train."""
    return tuple(name for column, name in enumerate(OBJECTIVES) if labels[:, column].any()) or PURCHASE_OBJECTIVES


def stacked(windows: list[WindowExamples], objectives: Sequence[str] | None) -> RankingExamples:
    """The windows' examples as one; objectives as of `ranking_examples`."""
    states = [state for window in windows for state in window.states]
    found = [candidates for window in windows for candidates in window.candidates]
    rows = len(windows[0].items)
    pair_numeric = np.empty((sum(len(candidates) for candidates in found), len(PAIR_NUMERIC)), dtype=np.float32)
    item_row = np.empty(len(pair_numeric), dtype=np.int32)
    start = np.concatenate([[0], np.cumsum([len(candidates) for candidates in found])])
    query = 0
    for number, window in enumerate(windows):
        for state, candidates in zip(window.states, window.candidates, strict=True):
            span = slice(start[query], start[query + 1])
            pair_numeric[span] = pair_features(state, candidates, window.items, window.neighbours)
            item_row[span] = number * rows + candidates.index
            query += 1
    labels = np.concatenate([window.labels for window in windows])
    objectives = _reached(labels) if objectives is None else tuple(objectives)
    user_ids = [user_id for window in windows for user_id in window.user_ids]
    return RankingExamples(
        user=np.unique(user_ids, return_inverse=True)[1].astype(np.int64),
        query_embedding=np.concatenate([window.query_embedding for window in windows]),
        user_numeric=np.stack([state.numeric for state in states]),
        user_categories=np.stack([state.categories for state in states]),
        context=np.concatenate([window.context for window in windows]),
        start=start.astype(np.int64),
        item_row=item_row,
        pair_numeric=pair_numeric,
        objectives=objectives,
        labels=labels[:, [OBJECTIVES.index(name) for name in objectives]],
        weight=np.concatenate([window.weight for window in windows]),
        is_new=np.concatenate([window.is_new for window in windows]),
        held_out=np.concatenate([window.held_out for window in windows]),
        item_numeric=np.concatenate([window.items.numeric for window in windows]),
        item_embedding=np.concatenate([window.item_embedding for window in windows]),
    )
