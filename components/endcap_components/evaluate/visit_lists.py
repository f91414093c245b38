"""Lists at moments of the visits after the cut, judged by what came next."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.contracts.evaluation import FULL, ORDERED, PER_VISIT_NAME, RANKER, VISIT_METRIC, Figure, Ordering, VisitFigures
from endcap.core.settings import RetrievalSettings
from endcap.evaluation.accuracy import accuracy
from endcap.evaluation.bootstrap import Resamples
from endcap.evaluation.ranked_lists import RankedLists
from endcap.evaluation.user_items import UserItems
from endcap.training.moment_tables import TablesArtifact
from endcap.training.scoring import RankerArtifact, TwoTowerArtifact
from endcap.training.training_set import TrainingSet
from endcap.training.visits import Codes, VisitMoments, visit_moments
from endcap_components.evaluate.model_scores import Queries, RankedCandidates, ranked_candidates
from endcap_components.evaluate.simple_orders import METHODS

MOMENTS_MAX = 2000
MOMENTS_SEED = 20_171_204
"""Of the moments drawn, so that the champion is judged by the same."""
K, LIST_K = 10, 20
HIT, RANK = f"hr@{LIST_K}", f"mrr@{LIST_K}"


def judged_moments(training: TrainingSet, codes: Codes | None = None) -> VisitMoments:
    """The moments that lists of visits are judged at.

    Args:
        training: of the run.
        codes: as of `visit_moments`.
    """
    manifest = training.manifest
    return visit_moments(training, manifest.cut, manifest.data_end, MOMENTS_MAX, np.random.default_rng(MOMENTS_SEED), codes)


def next_metrics(next_item: NDArray[np.int32], lists: RankedLists) -> dict[str, NDArray[np.float64]]:
    """By metric, float64 [q]: what lists of LIST_K items are worth where one item is right.

    Args:
        next_item: int32 [q].
        lists: of the same moments.
    """
    each, one = np.arange(len(next_item), dtype=np.int64), np.ones(len(next_item), dtype=np.int64)
    hits = lists.hits(UserItems(each, next_item, len(next_item)))
    of_list = accuracy(hits, one, LIST_K)
    return {VISIT_METRIC: accuracy(hits[:, :K], one, K)["ndcg"], HIT: of_list["hr"], RANK: of_list["mrr"]}


@dataclass(frozen=True)
class JudgedVisits:
    """What lists were worth.

    Attributes:
        per_visit: columns visit_id, model and the metrics, by visit and model.
        moments: how many were judged.
        could_be_found: share of them whose next item may be recommended, or was had before in the visit.
    """

    per_visit: pl.DataFrame
    moments: int
    could_be_found: float

    def figures(self, seed: int) -> VisitFigures:
        """Means over visits with their intervals; visits are resampled as wholes.

        Args:
            seed: of the resamples.
        """
        models = {}
        for (model,), rows in self.per_visit.group_by("model", maintain_order=True):
            names = [VISIT_METRIC, HIT, RANK]
            means = Resamples(len(rows), seed).means(rows.select(names).to_numpy())
            models[str(model)] = {name: Figure(**asdict(each)) for name, each in zip(names, means, strict=True)}
        visits = self.per_visit["visit_id"].n_unique()
        return VisitFigures(visits=visits, moments=self.moments, could_be_found=self.could_be_found, models=models)

    def write(self, folder: Path) -> None:
        """Keep each visit's values, by which the gate pairs them with the champion's."""
        self.per_visit.write_parquet(folder / PER_VISIT_NAME)


def judge_visits(
    training: TrainingSet,
    tables: TablesArtifact,
    two_tower: TwoTowerArtifact,
    ranker: RankerArtifact,
    *,
    quotas: RetrievalSettings,
    ordering: Ordering,
) -> JudgedVisits | None:
    """Make the lists of the run's visits; None where none of two events came after the cut.

    Args:
        training, tables, two_tower, ranker: of the run.
        quotas: candidates a source.
        ordering: what orders the served list.
    """
    moments, eligible = judged_moments(training), training.eligible_at(training.manifest.cut)
    if not len(moments):
        return None
    queries = Queries.of(moments.states, training, two_tower)
    ranked = ranked_candidates(
        moments.states, eligible, queries, training=training, tables=tables, rank=ranker.signature, quotas=quotas, value=ranker.value
    )
    values = {name: next_metrics(moments.next_item, lists) for name, lists in _lists(ranked, ordering).items()}
    had = [bool(np.isin(item, state.session)) for item, state in zip(moments.next_item, moments.states, strict=True)]
    return JudgedVisits(
        per_visit=pl.concat([means_of_visits(moments.visit_ids, each).with_columns(model=pl.lit(name)) for name, each in values.items()]),
        moments=len(moments),
        could_be_found=float((eligible[moments.next_item] | np.array(had)).mean()),
    )


def means_of_visits(visit_ids: list[str], values: Mapping[str, NDArray[np.float64]]) -> pl.DataFrame:
    """Columns visit_id and the metrics, by visit id: the means over each visit's moments.

    Args:
        visit_ids: of the moments, [q].
        values: by metric, float64 [q].
    """
    return pl.DataFrame({"visit_id": visit_ids, **values}).group_by("visit_id").mean().sort("visit_id")


def _lists(ranked: RankedCandidates, ordering: Ordering) -> dict[str, RankedLists]:
    """By model, the list that is served first."""
    simple = {name: ranked.ordered_by(name).lists(LIST_K) for name in METHODS}
    if ordering.ordered_by == RANKER:
        return {FULL: ranked.scores.lists(LIST_K), **simple}
    return {ORDERED: simple[ordering.ordered_by], FULL: ranked.scores.lists(LIST_K), **simple}
