"""What a dataset allows to train: the first timetable under which everything fits, else the one that leaves the least out."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from endcap.contracts.training_plan import RANKER, TWO_TOWER, DataFacts, Part, Timetable, TrainingPlan
from endcap.core.errors import DataRejected, InvalidInput
from endcap.dataset.layout import Dataset
from endcap.features.snapshots import FeatureOptions, plan_snapshots
from endcap.training.data_profile import REPEAT_SHARE_MIN, Objective
from endcap.training.moments import Moments, fitting_moments
from endcap.training.planning.purchase_log import EarlyPurchases, PurchaseLog, Totals
from endcap.training.planning.timetables import ALL_OF_IT, TimeRange, timetables, without_training

ITEMS_MIN = 10
"""Trainable items a model needs: among fewer there is little to choose."""
EXAMPLES_MIN = 50
"""People at snapshots that a two-tower with the objective window needs."""
SEQUENCES_MIN = 20
"""People with two purchases that one with the objective next_item needs."""
WINDOW_PEOPLE_MIN = 20
"""People that the ranker needs in every window; a tenth of them is held out for calibration."""
LABELLED_MIN = 5
"""People with a purchase in the windows' days that the ranker needs."""
JUDGED_MIN = 10
"""People with purchases on both sides of the cut; of fewer no figure means anything."""
BASKETS_MIN = 3
"""Baskets or people with two items, for what is bought together."""

MIN_BUYERS = (5, 4, 3, 2, 1)
"""Tried in this order."""
COVERED_MIN = 0.5
"""Share of the purchases that trainable items must have: of a long tail little is left at five buyers an item."""

BATCH_SIZE, BATCH_SIZE_MIN = 512, 32
STEPS_MIN = 40
"""Fewer examples get smaller batches, so that an epoch has as many steps."""


@dataclass(frozen=True)
class Requested:
    """What a person asked for; 0 for whatever fits."""

    test_weeks: int = 0
    ranking_windows: int = 0
    min_buyers: int = 0


@dataclass(frozen=True)
class _Cut:
    """A timetable laid over the data, and what it leaves to learn from."""

    times: Timetable
    moments: Moments
    people: int
    min_buyers: int
    trainable: int
    judged: int
    examples: int
    early: EarlyPurchases
    window_people: int
    labelled: int

    @property
    def usual_objective(self) -> Objective:
        return "window" if self.early.repeat_share >= REPEAT_SHARE_MIN else "next_item"

    @property
    def objective(self) -> Objective | None:
        """The usual one where there is enough for it, else the other."""
        if not self.moments.windows or self.trainable < ITEMS_MIN:
            return None
        possible: dict[Objective, bool] = {
            "window": bool(self.moments.snapshots) and self.examples >= EXAMPLES_MIN,
            "next_item": self.early.sequences >= SEQUENCES_MIN,
        }
        others: tuple[Objective, ...] = ("window", "next_item")
        return next((each for each in (self.usual_objective, *others) if possible[each]), None)

    @property
    def ranks(self) -> bool:
        enough = self.window_people >= WINDOW_PEOPLE_MIN and self.labelled >= LABELLED_MIN and self.trainable >= ITEMS_MIN
        return bool(self.moments.windows) and enough

    @property
    def models(self) -> int:
        return (self.objective is not None) + self.ranks

    @property
    def worth(self) -> tuple[bool, bool, bool, int, bool]:
        """What is better than another: models that can be judged, then lists that can, then models; else nothing is kept for it."""
        judged, models = self.judged, self.models
        return models > 0 and judged >= JUDGED_MIN, models > 0 and judged > 0, judged > 0, models, self.times == ALL_OF_IT

    @property
    def is_whole(self) -> bool:
        return self.models == 2 and self.judged >= JUDGED_MIN


def plan_training(dataset: Dataset, requested: Requested) -> TrainingPlan:
    """Work out what is trained.

    Raises:
        DataRejected: there is nothing to recommend from.
        InvalidInput: what was asked for is below 0, or leaves out what could be trained without it.
    """
    for name, value in asdict(requested).items():
        if value < 0:
            raise InvalidInput("must be 1 or more, or 0 for what fits the data", field=name, value=value)
    with PurchaseLog(dataset) as log:
        totals = log.totals()
        planner = _Planner(log, totals)
        chosen = planner.best(requested)
        if chosen is None or not chosen.is_whole:
            _check_requested(planner, requested, chosen)
        if chosen is None:
            raise DataRejected("holds no moment at which it could be cut", field=str(dataset.path), fix="import data of a longer time")
        return _plan(dataset, log, totals, chosen)


class _Planner:
    """Lays timetables over the data until one fits."""

    def __init__(self, log: PurchaseLog, totals: Totals) -> None:
        self._log, self._totals = log, totals

    def best(self, requested: Requested) -> _Cut | None:
        """The first cut with everything, else the one with most; None where what is asked for does not fit into the time."""
        found: list[_Cut] = []
        for cut in self._cuts(requested):
            if cut.is_whole:
                return cut
            found.append(cut)
        # The first of the best: `max` keeps the order.
        return max(found, key=lambda cut: cut.worth, default=None)

    def _cuts(self, requested: Requested) -> Iterator[_Cut]:
        time = TimeRange(self._totals.first_purchase_at, self._totals.last_purchase_at, self._totals.last_event_at)
        tried = [*timetables(time, requested.test_weeks, requested.ranking_windows)] if self._totals.people else []
        tried += without_training(time, requested.test_weeks)
        if not requested.test_weeks:
            tried.append(ALL_OF_IT)
        for times in tried:
            cut = self._laid(times, requested.min_buyers)
            if cut is not None:
                yield cut

    def _laid(self, times: Timetable, min_buyers: int) -> _Cut | None:
        """The cut of a timetable; None where the data spans too little time for it."""
        log = self._log
        try:
            plan = plan_snapshots(self._totals.first_purchase_at, self._totals.last_event_at, FeatureOptions.of(times))
        except DataRejected:
            return None
        moments = fitting_moments(
            plan.times,
            plan.pair_times,
            cut=plan.cut,
            data_end=plan.data_end,
            target_days=times.target_days,
            horizon_days=times.horizon_days,
        )
        trained_at = moments.windows[0] if moments.windows else plan.cut
        buyers = log.buyers(trained_at, (min_buyers,) if min_buyers else MIN_BUYERS)
        least = next((least for least, (_, covered) in buyers.items() if covered >= COVERED_MIN), min(buyers))
        windows = moments.windows
        return _Cut(
            times=times,
            moments=moments,
            people=self._totals.people,
            min_buyers=least,
            trainable=buyers[least][0],
            examples=log.examples(moments.snapshots, times.target_days, least, trained_at),
            early=log.early(trained_at, least),
            window_people=min((log.people_before(window) for window in windows), default=0),
            labelled=log.examples(windows[:1], times.horizon_days, least, trained_at),
            judged=log.people_on_both_sides(plan.cut, times.horizon_days, least),
        )


def _check_requested(planner: _Planner, requested: Requested, chosen: _Cut | None) -> None:
    """Refuse what was asked for, without which more could be trained."""
    for name in ("test_weeks", "min_buyers"):
        value = getattr(requested, name)
        other = planner.best(replace(requested, **{name: 0})) if value else None
        if other is None or (chosen is not None and (other.models, other.judged > 0) <= (chosen.models, chosen.judged > 0)):
            continue
        would = f"{other.times.test_weeks} weeks" if name == "test_weeks" else f"{other.min_buyers} buyers"
        if name == "test_weeks" and not other.times.test_weeks:
            would = f"{other.times.test_days} days"
        left_out = "the data is too short" if chosen is None else f"not everything that could be is trained ({_first_reason(chosen)})"
        raise InvalidInput(f"with it {left_out}", field=name, value=value, fix=f"leave it out: {would} would be taken")


def _first_reason(cut: _Cut) -> str:
    return next((part.reason for part in _models(cut).values() if not part.trained), f"{cut.judged} people could be judged")


def _models(cut: _Cut) -> dict[str, Part]:
    return {
        TWO_TOWER: Part(trained=cut.objective is not None, reason=_two_tower_reason(cut)),
        RANKER: Part(trained=cut.ranks, reason="" if cut.ranks else _ranker_reason(cut)),
    }


def _two_tower_reason(cut: _Cut) -> str:
    if cut.objective is not None:
        repeats = f"{cut.early.repeat_share:.0%} of the purchases are repeats"
        return f"learns {cut.objective.replace('_', ' ')}: {repeats}"
    return _too_little(cut) or (
        f"{cut.examples:,} times somebody bought again within {cut.times.target_days} days and {cut.early.sequences:,} people bought twice "
        f"before {cut.moments.windows[0]:%Y-%m-%d}; {EXAMPLES_MIN} or {SEQUENCES_MIN} are needed"
    )


def _ranker_reason(cut: _Cut) -> str:
    return _too_little(cut) or (
        f"{cut.window_people:,} people had bought before {cut.moments.windows[0]:%Y-%m-%d}, and {cut.labelled:,} bought again within "
        f"{cut.times.horizon_days} days; {WINDOW_PEOPLE_MIN} and {LABELLED_MIN} are needed"
    )


def _too_little(cut: _Cut) -> str | None:
    """Why no model of a person can be trained, whichever it is; None where it depends on the model."""
    if not cut.moments.windows:
        return _no_window(cut)
    return f"{_items(cut)}; {ITEMS_MIN} are needed" if cut.trainable < ITEMS_MIN else None


def _no_window(cut: _Cut) -> str:
    if not cut.people:
        return "no purchase names a person"
    return f"of {cut.people:,} people too few bought again, or over too short a time, to learn from what they did next"


def _items(cut: _Cut) -> str:
    return f"{cut.trainable:,} items have {cut.min_buyers} buyers or more"


def _tables(log: PurchaseLog, cut: _Cut) -> dict[str, Part]:
    people, visits = log.together(cut.moments.data_end, cut.min_buyers)
    together = f"with two items and more; {BASKETS_MIN} are needed"
    return {
        "item_to_item": Part(trained=people >= BASKETS_MIN, reason="" if people >= BASKETS_MIN else f"{people} people {together}"),
        "complements": Part(trained=visits >= BASKETS_MIN, reason="" if visits >= BASKETS_MIN else f"{visits} baskets {together}"),
        "popularity": Part(trained=True, reason=""),
    }


def _plan(dataset: Dataset, log: PurchaseLog, totals: Totals, cut: _Cut) -> TrainingPlan:
    moments = cut.moments
    people_before, people_after, visits_before, visits_after = log.sides(moments.cut)
    facts = DataFacts(
        purchases=totals.purchases,
        purchases_without_person=totals.purchases_without_person,
        people=totals.people,
        visits=totals.visits,
        items=dataset.rows["items"],
        items_bought=totals.items_bought,
        first_purchase_at=totals.first_purchase_at,
        last_event_at=totals.last_event_at,
        cut=moments.cut,
        people_before_cut=people_before,
        people_after_cut=people_after,
        people_judged=cut.judged,
        visits_before_cut=visits_before,
        visits_after_cut=visits_after,
        trainable_items=cut.trainable,
        snapshots=len(moments.snapshots),
        examples=cut.examples,
        ranking_windows=len(moments.windows),
        people_in_windows=cut.window_people,
        repeat_share=cut.early.repeat_share,
        views_a_purchase=totals.views / totals.purchases,
        events_without_person_share=totals.events_without_person / totals.events,
    )
    return TrainingPlan(
        dataset_fingerprint=dataset.fingerprint,
        facts=facts,
        times=cut.times,
        min_buyers=cut.min_buyers,
        objective=cut.objective,
        batch_size=batch_size(cut.examples),
        parts=_models(cut) | _tables(log, cut),
    )


def batch_size(examples: int) -> int:
    """Examples a step: the usual size, halved until an epoch has STEPS_MIN steps."""
    size = BATCH_SIZE
    while size > BATCH_SIZE_MIN and examples < size * STEPS_MIN:
        size //= 2
    return size
