"""The step evaluate: every model and baseline on the weeks after the cut, what orders the list, and a report of it all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.contracts.evaluation import (
    ALL,
    AS_SHOWN,
    EVALUATION_NAME,
    FULL,
    NEW,
    PER_USER_NAME,
    Evaluation,
    Ordering,
    Reliability,
    ReliabilityBin,
    Shown,
)
from endcap.core.files import replacing_folder
from endcap.core.log import get_logger
from endcap.core.progress import StepProgress
from endcap.core.settings import RetrievalSettings
from endcap.engine.ranking.value import usable_value
from endcap.engine.surfaces.surface import Surface
from endcap.evaluation.as_shown import SHOWN, ShownSurface, judge_shown
from endcap.evaluation.calibration import calibration_curve, expected_calibration_error
from endcap.evaluation.evaluate_lists import CatalogueFacts, EvaluatedLists, by_value, evaluate_lists, history_terciles
from endcap.evaluation.ordering import choose_order
from endcap.evaluation.ranked_lists import RankedLists, ScoredPairs
from endcap.features.columns import USER_CATEGORICAL
from endcap.training.moment_tables import TablesArtifact
from endcap.training.scoring import RankerArtifact, TwoTowerArtifact
from endcap.training.training_set import TrainingSet
from endcap_components.evaluate.evaluated_users import USERS_MAX, EvaluatedUsers
from endcap_components.evaluate.model_scores import BASELINE, OWN, Queries, baseline_scores, ranked_candidates
from endcap_components.evaluate.report import write_report
from endcap_components.evaluate.served_order import (
    OrderLimits,
    RetrievalChoice,
    ServedOrder,
    choose_candidates,
    choose_served_order,
    order_by_visits,
)
from endcap_components.evaluate.visit_lists import JudgedVisits, judge_visits

BASELINES = {ALL: BASELINE, NEW: "popular"}
"""By truth, the model that differences subtract."""
PER_USER_KEYS = {"user_id": pl.String, "model": pl.String, "truth": pl.String}
HOME = "home"
"""The surface whose list is judged as it is shown."""
_STAGES = 6


@dataclass(frozen=True)
class Artifacts:
    """Folders the step reads."""

    training: Path
    tables: Path
    two_tower: Path
    ranker: Path


@dataclass(frozen=True)
class JudgedBy:
    """What the step is told beside the artifacts.

    Attributes:
        quotas: candidates a source, as in serving.
        limits: what the ranker and the two-tower must reach to be used.
        home: the surface that lists are shown on.
        seed: of the resamples, and of the sample of users.
    """

    quotas: RetrievalSettings
    limits: OrderLimits
    home: Surface
    seed: int


def evaluate_step(artifacts: Artifacts, out_dir: Path, report_file: Path, by: JudgedBy) -> Evaluation:
    """Evaluate all models and write `evaluation.json`, `per_user.parquet` and the HTML report.

    Where nobody bought on both sides of the cut nobody's list can be judged: the evaluation has no truths, and popularity orders unless a
    ranker of visits is better at what comes next in them.

    Args:
        artifacts: the run's training set, tables and models.
        out_dir: the folder to write; replaced when it exists, once the new one is whole.
        report_file: where the report goes.
        by: how it is judged.
    """
    with StepProgress() as progress:
        task = progress.add_task("Reading users", total=_STAGES)
        run = _Run.of(artifacts)
        users = EvaluatedUsers.of(run.training, USERS_MAX, by.seed)
        by_visits = order_by_visits(run.ranker.visit_ndcg, by.limits, by.seed)
        evaluated: dict[str, EvaluatedLists] = {}

        def began(stage: str) -> None:
            progress.update(task, advance=1, description=stage)

        if users.user_ids:
            evaluation, evaluated = _of_users(run, users, by, by_visits, began)
        else:
            ordering = by_visits or choose_order({}, by.limits.min_lift, by.seed, _main(users))
            evaluation = _document(run.training, users, by, objectives=run.ranker.objectives, ordering=ordering)
        visits = _of_visits(run, by, evaluation.ordering) if by_visits else None
        if visits is not None:
            evaluation = evaluation.model_copy(update={"visits": visits.figures(by.seed)})
        progress.update(task, advance=1, description="Report")
        _write(out_dir, evaluation, evaluated, visits)
        write_report(report_file, evaluation)
    logger = get_logger("evaluate")
    logger.info("evaluated", users=len(users.user_ids), ordered_by=evaluation.ordering.ordered_by, **_headline(evaluation))
    if evaluation.shown is not None and evaluation.shown.warning:
        logger.warning(evaluation.shown.warning)
    return evaluation


@dataclass(frozen=True)
class _Run:
    """What a run left, each read once."""

    training: TrainingSet
    tables: TablesArtifact
    two_tower: TwoTowerArtifact
    ranker: RankerArtifact

    @classmethod
    def of(cls, artifacts: Artifacts) -> "_Run":
        return cls(
            TrainingSet(artifacts.training),
            TablesArtifact(artifacts.tables),
            TwoTowerArtifact(artifacts.two_tower),
            RankerArtifact(artifacts.ranker),
        )


def _of_visits(run: _Run, by: JudgedBy, ordering: Ordering) -> JudgedVisits | None:
    """What lists of visits are worth; None where no visit came after the cut."""
    quotas = RetrievalChoice(ordering.uses_two_tower, "").quotas(by.quotas)
    return judge_visits(run.training, run.tables, run.two_tower, run.ranker, quotas=quotas, ordering=ordering)


def _of_users(
    run: _Run, users: EvaluatedUsers, by: JudgedBy, by_visits: Ordering | None, began: Callable[[str], None]
) -> tuple[Evaluation, dict[str, EvaluatedLists]]:
    """The document, and by truth what every list is worth to each user."""
    training, tables, ranker, cut = run.training, run.tables, run.ranker, run.training.manifest.cut
    began("Baselines")
    scores = baseline_scores(users, tables.at(cut))
    began("Two-tower and ranker")
    queries = Queries.of(users.states, training, run.two_tower)
    scores["two_tower"] = queries.nearest(users)
    retrieval = choose_candidates(users, scores, by.limits)
    quotas = retrieval.quotas(by.quotas)
    ranked = ranked_candidates(
        users.states, users.eligible, queries, training=training, tables=tables, rank=ranker.signature, quotas=quotas, value=ranker.value
    )
    served = choose_served_order(users, ranked, retrieval, by.limits, by.seed, by_visits=by_visits)
    scores |= {FULL: ranked.scores, served.model: served.scores}
    began("The list as shown")
    value = usable_value(by.home.value, ranker.value, ranker.objectives)
    surface = ShownSurface(by.home, training.items_at(cut), queries.items, value)
    shown = surface.lists(served.scores.pairs, served.probabilities, max(users.cutoffs.accuracy))
    began("Metrics")
    evaluated = _evaluate_truths(scores, shown[SHOWN], users, training, by.seed)
    by_step = {step: users.ndcg(lists) for step, lists in shown.items()}
    row = judge_shown(HOME, surface, users.ndcg(served.scores.lists(users.cutoffs.main)), by_step, seed=by.seed, metric=_main(users))
    began("Calibration")
    reliability = _reliability(served, users)
    document = _document(
        training,
        users,
        by,
        objectives=ranker.objectives,
        ordering=served.ordering,
        evaluated=evaluated,
        reliability=reliability,
        shown=row,
    )
    return document, evaluated


def _main(users: EvaluatedUsers) -> str:
    return f"NDCG@{users.cutoffs.main}"


def _evaluate_truths(
    scores: Mapping[str, ScoredPairs], shown: RankedLists, users: EvaluatedUsers, training: TrainingSet, seed: int
) -> dict[str, EvaluatedLists]:
    bought, cutoffs = users.bought, users.cutoffs
    catalogue = CatalogueFacts(category=training.items.leaf_code, buyer_share=_buyer_share(users), eligible_count=int(users.eligible.sum()))
    ages = _category_names(users, training, "age_band")
    segments = history_terciles(bought.counts) | by_value("age", ages)
    everything = {name: [each.lists(cutoffs.deep)] for name, each in scores.items()} | {AS_SHOWN: [shown]}
    lists = {ALL: (users.truth, everything)}
    if len(users.new.item_index):
        new = {name: [each.new_to_user(bought).lists(cutoffs.deep)] for name, each in scores.items() if name not in OWN}
        lists[NEW] = (users.new, new)
    evaluated = partial(evaluate_lists, seed=seed, ks=cutoffs.accuracy, main_k=cutoffs.main, deep_k=cutoffs.deep)
    return {name: evaluated(by_model, truth, catalogue, segments, users.user_ids) for name, (truth, by_model) in lists.items()}


def _buyer_share(users: EvaluatedUsers) -> NDArray[np.float64]:
    """Share of the evaluated users who bought each item before the cut; an item none of them bought counts as half a buyer."""
    distinct = users.bought.keys & 0xFFFFFFFF
    buyers = np.bincount(distinct, minlength=len(users.eligible)).astype(np.float64)
    share: NDArray[np.float64] = np.maximum(buyers, 0.5) / len(users.user_ids)
    return share


def _category_names(users: EvaluatedUsers, training: TrainingSet, column: str) -> list[str]:
    place, vocabulary = USER_CATEGORICAL.index(column), training.user_vocabularies[column]
    return [vocabulary.name(int(state.categories[place])) for state in users.states]


def _reliability(served: ServedOrder, users: EvaluatedUsers) -> dict[str, Reliability]:
    """Probabilities of every candidate of every user against what was bought in the horizon."""
    happened = users.happened(served.scores.pairs)
    curves = {name: calibration_curve(values, happened[name]) for name, values in served.probabilities.items()}
    return {
        name: Reliability(
            error=expected_calibration_error(curve),
            bins=[ReliabilityBin(predicted=each.predicted, observed=each.observed, count=each.count) for each in curve],
        )
        for name, curve in curves.items()
    }


_NO_LISTS: Mapping[str, EvaluatedLists] = MappingProxyType({})
_NO_CURVES: Mapping[str, Reliability] = MappingProxyType({})


def _document(
    training: TrainingSet,
    users: EvaluatedUsers,
    by: JudgedBy,
    *,
    objectives: list[str],
    ordering: Ordering,
    evaluated: Mapping[str, EvaluatedLists] = _NO_LISTS,
    reliability: Mapping[str, Reliability] = _NO_CURVES,
    shown: Shown | None = None,
) -> Evaluation:
    manifest = training.manifest
    return Evaluation(
        signals=manifest.taught_by(),
        next_of=manifest.next_of(),
        objectives=objectives,
        eligible_by=manifest.eligible_by(),
        notes=manifest.notes(),
        dataset_fingerprint=manifest.dataset_fingerprint,
        data_start=manifest.data_start,
        data_end=manifest.data_end,
        cut=manifest.cut,
        horizon_days=manifest.horizon_days,
        min_buyers=manifest.min_buyers,
        eligible_items=int(users.eligible.sum()),
        candidates_max=by.quotas.candidates_max,
        baselines=BASELINES,
        truths={truth: lists.figures(BASELINES[truth], by.seed) for truth, lists in evaluated.items()},
        reliability=dict(reliability),
        main_k=users.cutoffs.main,
        deep_k=users.cutoffs.deep,
        ordering=ordering,
        shown=shown,
    )


def _write(out_dir: Path, evaluation: Evaluation, evaluated: Mapping[str, EvaluatedLists], visits: JudgedVisits | None) -> None:
    with replacing_folder(out_dir) as aside:
        (aside / EVALUATION_NAME).write_text(evaluation.model_dump_json(indent=1), encoding="utf-8")
        frames = [lists.per_user().with_columns(pl.lit(name).alias("truth")) for name, lists in evaluated.items()]
        per_user = pl.concat(frames, how="diagonal") if frames else pl.DataFrame(schema=PER_USER_KEYS)
        per_user.write_parquet(aside / PER_USER_NAME)
        if visits is not None:
            visits.write(aside)


def _headline(evaluation: Evaluation) -> dict[str, float]:
    return {name: round(value, 4) for name, value in evaluation.flat().items() if name.endswith(f"/{evaluation.ranking_metric}")}
