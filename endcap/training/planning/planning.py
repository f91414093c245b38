"""What a dataset allows to train: the first timetable under which everything fits, else the one that leaves the least out."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace

from endcap.contracts.event import EventType
from endcap.contracts.signals import Signals, event_type_of
from endcap.contracts.training_plan import DataFacts, SignalFacts, Timetable, TrainingPlan
from endcap.core.errors import DataRejected, InvalidInput
from endcap.dataset.layout import Dataset
from endcap.features.snapshots import FeatureOptions, plan_snapshots
from endcap.training.moments import fitting_moments
from endcap.training.planning.balance import reached
from endcap.training.planning.cuts import COVERED_MIN, MIN_BUYERS, MIN_BUYERS_OF_STEPS, Cut
from endcap.training.planning.parts import first_reason, models_of, tables_of
from endcap.training.planning.purchase_log import PurchaseLog, Totals
from endcap.training.planning.timetables import ALL_OF_IT, TimeRange, timetables, without_training

BATCH_SIZE, BATCH_SIZE_MIN = 512, 32
STEPS_MIN = 40
"""Fewer examples get smaller batches, so that an epoch has as many steps."""


@dataclass(frozen=True)
class Requested:
    """What a person asked for; 0 for whatever fits, and no timetable but one that is given in whole."""

    test_weeks: int = 0
    ranking_windows: int = 0
    min_buyers: int = 0
    signals: Signals = field(default_factory=Signals)
    times: Timetable | None = None


def plan_training(dataset: Dataset, requested: Requested) -> TrainingPlan:
    """Work out what is trained.

    Raises:
        DataRejected: there is nothing to recommend from.
        InvalidInput: what was asked for is below 0, or leaves out what could be trained without it; or no type with a weight has an event.
    """
    for name in ("test_weeks", "ranking_windows", "min_buyers"):
        value = getattr(requested, name)
        if value < 0:
            raise InvalidInput("must be 1 or more, or 0 for what fits the data", field=name, value=value)
    with PurchaseLog(dataset, requested.signals) as log:
        totals = log.totals()
        planner = _Planner(log, totals, dataset.knows_times)
        chosen = planner.best(requested)
        if chosen is None or not chosen.is_whole:
            _check_requested(planner, requested, chosen)
        if chosen is None:
            raise DataRejected("holds no moment at which it could be cut", field=str(dataset.path), fix="import data of a longer time")
        return _plan(dataset, log, totals, chosen)


class _Planner:
    """Lays timetables over the data until one fits."""

    def __init__(self, log: PurchaseLog, totals: Totals, knows_times: bool) -> None:
        self._log, self._totals, self._knows_times = log, totals, knows_times

    def best(self, requested: Requested) -> Cut | None:
        """The first cut with everything, else the one with most; None where what is asked for does not fit into the time."""
        found: list[Cut] = []
        for cut in self._cuts(requested):
            if cut.is_whole:
                return cut
            found.append(cut)
        # The first of the best: `max` keeps the order.
        return max(found, key=lambda cut: cut.worth, default=None)

    def _cuts(self, requested: Requested) -> Iterator[Cut]:
        totals = self._totals
        time = TimeRange(totals.first_signal_at, totals.last_purchase_at, totals.last_event_at, self._knows_times)
        if requested.times is not None:
            laid = self._laid(requested.times, requested.min_buyers)
            yield from [laid] if laid else []
            return
        anybody = totals.people or not self._log.signals.is_empty
        tried = [*timetables(time, requested.test_weeks, requested.ranking_windows)] if anybody else []
        tried += without_training(time, requested.test_weeks)
        if not requested.test_weeks:
            tried.append(ALL_OF_IT)
        for times in tried:
            cut = self._laid(times, requested.min_buyers)
            if cut is not None:
                yield cut

    def _laid(self, times: Timetable, min_buyers: int) -> Cut | None:
        """The cut of a timetable; None where the data spans too little time for it."""
        log = self._log
        try:
            plan = plan_snapshots(self._totals.first_signal_at, self._totals.last_event_at, FeatureOptions.of(times))
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
        fewest = MIN_BUYERS if self._knows_times else MIN_BUYERS_OF_STEPS
        items, trainable = log.trainable(trained_at, (min_buyers,) if min_buyers else fewest, COVERED_MIN)
        windows = moments.windows
        return Cut(
            times=times,
            moments=moments,
            people=self._totals.people,
            is_typed=not log.signals.is_empty,
            items=items,
            trainable=trainable,
            examples=log.examples(moments.snapshots, times.target_days, items),
            early=log.early(items),
            window_people=min((log.people_before(window) for window in windows), default=0),
            labelled=log.examples(windows[:1], times.horizon_days, items),
            visits=log.visits_from(windows[0], plan.cut) if windows and self._knows_times else 0,
            judged=log.examples([plan.cut], times.horizon_days, replace(items, before=plan.cut)),
        )


def _check_requested(planner: _Planner, requested: Requested, chosen: Cut | None) -> None:
    """Refuse what was asked for, without which more could be trained."""
    without = {"test_weeks": replace(requested, test_weeks=0), "min_buyers": replace(requested, min_buyers=0)}
    for name, rest in without.items():
        value = getattr(requested, name)
        other = planner.best(rest) if value else None
        if other is None or (chosen is not None and (other.models, other.judged > 0) <= (chosen.models, chosen.judged > 0)):
            continue
        would = f"{other.times.test_weeks} weeks" if name == "test_weeks" else f"{other.items.least} buyers"
        if name == "test_weeks" and not other.times.test_weeks:
            would = f"{other.times.test_days} days"
        left_out = "the data is too short" if chosen is None else f"not everything that could be is trained ({first_reason(chosen)})"
        raise InvalidInput(f"with it {left_out}", field=name, value=value, fix=f"leave it out: {would} would be taken")


def _plan(dataset: Dataset, log: PurchaseLog, totals: Totals, cut: Cut) -> TrainingPlan:
    moments = cut.moments
    signals, missed = reached(log.signals.signals, log.next_of(cut.items))
    notes = [*log.signals.notes, *missed]
    people_before, people_after, visits_before, visits_after = log.sides(moments.cut)
    facts = DataFacts(
        purchases=totals.purchases,
        purchases_without_person=totals.purchases_without_person,
        people=totals.people,
        visits=totals.visits,
        items=dataset.rows["items"],
        items_bought=totals.items_bought,
        first_purchase_at=totals.first_signal_at,
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
        views_a_purchase=totals.views / max(totals.purchases, 1),
        signals={event_type_of(code): SignalFacts(**asdict(kind)) for code, kind in sorted(log.signals.kinds.items())},
        events_without_person_share=totals.events_without_person / totals.events,
    )
    return TrainingPlan(
        dataset_fingerprint=dataset.fingerprint,
        facts=facts,
        times=cut.times,
        knows_times=dataset.knows_times,
        min_buyers=cut.items.least,
        eligible_by=cut.items.by,
        signals=signals,
        objectives=_objectives(cut, log, signals),
        notes=notes,
        objective=cut.objective,
        ranks="visits" if cut.ranks_visits else "purchases",
        batch_size=batch_size(cut.examples),
        parts=models_of(cut) | tables_of(log, cut),
    )


def _objectives(cut: Cut, log: PurchaseLog, signals: Signals) -> list[str]:
    """Event types of which the next one is learned."""
    if cut.objective is None:
        return []
    if cut.objective == "window" or log.signals.is_empty:
        return [EventType.PURCHASE.value]
    return [event_type_of(code) for code in sorted(log.signals.kinds) if signals.of(code).weight and signals.of(code).predicted]


def batch_size(examples: int) -> int:
    """Examples a step: the usual size, halved until an epoch has STEPS_MIN steps."""
    size = BATCH_SIZE
    while size > BATCH_SIZE_MIN and examples < size * STEPS_MIN:
        size //= 2
    return size
