"""A training plan as a table for a person: what the data holds, how it is cut, and what is trained."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from endcap.contracts.signals import SIGNAL_TYPES
from endcap.contracts.training_plan import Timetable, TrainingPlan
from endcap.core.progress import SHOWN

WIDTH = 120


def show_plan(plan: TrainingPlan) -> None:
    """Print the table, marked so that a runner shows it to whoever follows the run."""
    for line in plan_lines(plan):
        print(SHOWN + line, flush=True)  # noqa: T201


def plan_lines(plan: TrainingPlan) -> list[str]:
    """The table, line by line."""
    table = Table(title="What the data allows", title_justify="left")
    table.add_column("")
    table.add_column("", overflow="fold")
    for name, value in (*_facts(plan), *_choices(plan)):
        table.add_row(name, value)
    table.add_section()
    for name, part in plan.parts.items():
        table.add_row(name.replace("_", " "), _trained(part.trained, part.reason))
    console = Console(width=WIDTH, color_system=None, highlight=False)
    with console.capture() as captured:
        console.print(table)
    return [line.rstrip() for line in captured.get().splitlines()]


def _trained(trained: bool, reason: str) -> str:
    word = "trained" if trained else "left out"
    return f"{word}: {reason}" if reason else word


def _facts(plan: TrainingPlan) -> Iterator[tuple[str, str]]:
    facts = plan.facts
    yield "purchases", f"{facts.purchases:,} of {facts.people:,} people in {facts.visits:,} visits"
    if facts.purchases_without_person:
        yield "without a person", f"{facts.purchases_without_person:,} purchases, {facts.events_without_person_share:.0%} of all events"
    yield "items", f"{facts.items:,}, {facts.items_bought:,} of them bought, {facts.trainable_items:,} trainable"
    yield "time", f"{facts.first_purchase_at:%Y-%m-%d} to {facts.last_event_at:%Y-%m-%d}, cut {facts.cut:%Y-%m-%d %H:%M}"
    people, visits = (
        f"{facts.people_before_cut:,} / {facts.people_after_cut:,}",
        f"{facts.visits_before_cut:,} / {facts.visits_after_cut:,}",
    )
    yield "before / after the cut", f"{people} people, {visits} visits"
    yield "judged", f"{facts.people_judged:,} people"
    yield "repeats", f"{facts.repeat_share:.0%} of the purchases"
    yield "views a purchase", f"{facts.views_a_purchase:.1f}"
    yield from _signals(plan)


def _signals(plan: TrainingPlan) -> Iterator[tuple[str, str]]:
    """A row for each type of event that teaches, where there is more than purchases."""
    for name, kind in plan.facts.signals.items():
        share = kind.anonymous / kind.events
        who = f"{kind.people:,} people and {kind.visits:,} visits, {share:.0%} of nobody known"
        yield name.replace("_", " "), f"{kind.events:,} of {who}; weight {getattr(plan.signals, name).weight:.4g}"
    missing = [type_.value.replace("_", " ") for type_ in SIGNAL_TYPES if type_.value not in plan.facts.signals]
    if plan.facts.signals and missing:
        yield "not in the data", ", ".join(missing)


def _choices(plan: TrainingPlan) -> Iterator[tuple[str, str]]:
    times, facts = plan.times, plan.facts
    yield "kept for evaluation", kept(times)
    windows = f"{facts.ranking_windows} of {times.horizon_days} days" if facts.ranking_windows else "none"
    yield "ranking windows", windows
    yield "snapshots", f"{facts.snapshots}, {facts.examples:,} examples"
    yield "people and visits an item" if plan.eligible_by == "interactions" else "buyers an item", f"{plan.min_buyers} or more"
    if plan.objectives:
        yield "learns the next", ", ".join(name.replace("_", " ") for name in plan.objectives)
    for note in plan.notes:
        yield "signals", note


def kept(times: Timetable) -> str:
    """What is kept at the end, in words."""
    if times.test_weeks:
        return f"{times.test_weeks} weeks"
    return f"{times.test_days} days" if times.test_days else "nothing"
