"""The champion's lists for the people and weeks that a challenger is judged by, made with the champion's own signatures and tables."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.catalogue.item_table import ItemTable
from endcap.contracts.signatures import ENCODE_QUERY, RANK
from endcap.core.settings import RetrievalSettings
from endcap.engine.retrieval.candidates import Candidates, CandidateSet
from endcap.engine.retrieval.item_to_item import NO_NEIGHBOURS, ItemToItem
from endcap.engine.retrieval.popular import Popularity
from endcap.engine.retrieval.user_state import UserState, user_state
from endcap.evaluation.ranked_lists import ScoredPairs
from endcap.release.bundle.manifest import Bundle
from endcap.release.bundle.tables import BundleTables, read_tables
from endcap.training.candidates import candidate_sets
from endcap.training.moment_tables import MomentTables
from endcap.training.scoring import encode_queries, evaluation_context, load_signature, score_candidates
from endcap.training.training_set import TrainingSet
from endcap.training.visits import Codes
from endcap_components.evaluate.evaluated_users import EvaluatedUsers
from endcap_components.evaluate.model_scores import ranked_pairs
from endcap_components.evaluate.visit_lists import LIST_K, judged_moments, means_of_visits, next_metrics

OWN_TABLES = "with its own tables"
TABLES_AT_CUT = "with the run's tables as of the cut, since its own know the weeks that are judged"


@dataclass(frozen=True)
class ItemMapping:
    """Two catalogues' indices of the same items.

    Attributes:
        to_champion: int32 [n + 1], the champion's index of each of the challenger's items, 0 where it has none.
        to_challenger: int32 [c + 1], the other way round.
    """

    to_champion: NDArray[np.int32]
    to_challenger: NDArray[np.int32]

    @classmethod
    def of(cls, challenger: ItemTable, champion: ItemTable) -> Self:
        return cls(challenger.indices_in(champion), champion.indices_in(challenger))

    @cached_property
    def _both(self) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
        """The challenger's and the champion's indices of items that both have, [b] each."""
        rows = np.flatnonzero(self.to_champion)
        return rows, self.to_champion[rows]

    def tables(self, known: MomentTables) -> MomentTables:
        """The challenger's tables in the champion's indices; what the champion does not know is left out."""
        rows, places = self._both
        gap_days = np.zeros(len(self.to_challenger), dtype=np.float32)
        gap_days[places] = known.repurchase_gap_days[rows]
        by_segment = {name: self._candidates(table) for name, table in known.popularity.by_segment.items()}
        ease = NO_NEIGHBOURS if known.ease.is_empty else self._neighbours(known.ease)
        return MomentTables(self._neighbours(known.item_to_item), Popularity(by_segment), gap_days, ease)

    def _neighbours(self, table: ItemToItem) -> ItemToItem:
        rows, places = self._both
        shape = (len(self.to_challenger), table.index.shape[1])
        index, weight = np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=np.float16)
        index[places] = self.to_champion[table.index[rows]]
        weight[places] = np.where(index[places] > 0, table.weight[rows], 0)
        return ItemToItem(index, weight)

    def _candidates(self, table: Candidates) -> Candidates:
        index = self.to_champion[table.index]
        return Candidates(index[index > 0], table.score[index > 0])


@dataclass(frozen=True)
class ChampionLists:
    """A champion that makes lists for a challenger's users.

    Attributes:
        bundle: the champion.
        tables: of its bundle.
        mapping: between the two catalogues.
        items: its catalogue with the numeric features that its ranker reads.
        known: what its candidate sources read.
        note: whose tables these are, for people.
    """

    bundle: Bundle
    tables: BundleTables
    mapping: ItemMapping
    items: ItemTable
    known: MomentTables
    note: str

    @classmethod
    def of(cls, bundle: Bundle, training: TrainingSet, at_cut: MomentTables) -> Self:
        """Take the champion's own tables, unless they are younger than the challenger's cut.

        A champion that was trained last night has counted the very purchases that the lists are judged by. Its popularity, item features
        and item-to-item would know the answers, where the challenger's are as of the cut; then both read the same, as of the cut, and what
        is compared is what was learned.

        Args:
            bundle: the champion.
            training: of the challenger.
            at_cut: what the challenger's candidate sources read as of its cut.
        """
        own, cut = read_tables(bundle.path), training.manifest.cut
        mapping = ItemMapping.of(training.items, own.items)
        if bundle.manifest.data_end <= cut:
            known = MomentTables(own.item_to_item, own.popularity, own.repurchase_gap_days, own.ease)
            return cls(bundle, own, mapping, own.items, known, OWN_TABLES)
        # A ranker that never saw the table does not read it, and its lists had no such candidates.
        at_cut = replace(at_cut, ease=NO_NEIGHBOURS) if own.ease.is_empty else at_cut
        known_items = pl.Series(list(own.items.ids.names)).implode()
        features = training.item_features_at(cut).filter(pl.col("item_id").is_in(known_items))
        return cls(bundle, own, mapping, own.items.with_features(features), mapping.tables(at_cut), TABLES_AT_CUT)

    def ndcg(self, users: EvaluatedUsers, training: TrainingSet) -> NDArray[np.float64]:
        """float64 [users], NDCG at the main cut-off of the lists in the order that the champion serves.

        Args:
            users: of the challenger, all of them with something in the truth.
            training: the challenger's.
        """
        ranked = self._ranked(self._states(users, training), users.eligible, training)
        return users.ndcg(ranked.lists(users.cutoffs.main))

    def of_visits(self, training: TrainingSet) -> pl.DataFrame:
        """Columns visit_id, VISIT_METRIC and more, by visit id: what its lists of the challenger's visits are worth.

        Args:
            training: the challenger's.
        """
        moments = judged_moments(training, Codes(self.items, self.tables.user_vocabularies))
        ranked = self._ranked(moments.states, training.eligible_at(training.manifest.cut), training)
        return means_of_visits(moments.visit_ids, next_metrics(moments.next_item, ranked.lists(LIST_K)))

    def _ranked(self, states: list[UserState], eligible: NDArray[np.bool_], training: TrainingSet) -> ScoredPairs:
        """The candidates of some users as it orders them, in the challenger's indices."""
        context = evaluation_context(training.manifest.cut)
        queries = encode_queries(load_signature(self.bundle.path, ENCODE_QUERY), states, context)
        found = self._candidates(states, queries, eligible)
        rank = load_signature(self.bundle.path, RANK)
        scores = score_candidates(rank, states, queries, found, self.items, self.known.neighbours, context)
        ranked = ranked_pairs(scores, found, self.bundle.manifest.value).scores
        return replace(ranked, pairs=replace(ranked.pairs, item_index=self.mapping.to_challenger[ranked.pairs.item_index]))

    def _states(self, users: EvaluatedUsers, training: TrainingSet) -> list[UserState]:
        """The users by the challenger's features, in the champion's codes: items and categories that it does not know are unknown."""
        cut = training.manifest.cut
        by_id = {row["user_id"]: row for row in training.user_rows_at(cut).iter_rows(named=True)}
        return [user_state(by_id[user_id], self.items, self.tables.user_vocabularies, cut) for user_id in users.user_ids]

    def _candidates(self, states: list[UserState], queries: NDArray[np.float32], eligible: NDArray[np.bool_]) -> list[CandidateSet]:
        manifest = self.bundle.manifest
        quotas = RetrievalSettings().model_copy(update=manifest.quotas)
        if not manifest.uses_two_tower:
            quotas = quotas.model_copy(update={"two_tower_quota": 0})
        may_be_shown = eligible[self.mapping.to_challenger]
        may_be_shown[0] = False
        embeddings = self.tables.item_embeddings
        return candidate_sets(states, queries, embeddings, self.known, quotas, may_be_shown, self.tables.user_vocabularies)
