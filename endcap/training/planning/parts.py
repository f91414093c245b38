"""Which parts of a bundle a cut leaves enough for, and why not the others, as sentences with figures."""

from dataclasses import replace

from endcap.contracts.training_plan import RANKER, TWO_TOWER, Part
from endcap.training.planning.cuts import (
    BASKETS_MIN,
    EXAMPLES_MIN,
    ITEMS_MIN,
    LABELLED_MIN,
    SEQUENCES_MIN,
    WINDOW_PEOPLE_MIN,
    Cut,
)
from endcap.training.planning.purchase_log import PurchaseLog


def first_reason(cut: Cut) -> str:
    """Why the first of the models that is left out is."""
    return next((part.reason for part in models_of(cut).values() if not part.trained), f"{cut.judged} people could be judged")


def models_of(cut: Cut) -> dict[str, Part]:
    """The models of a person."""
    return {
        TWO_TOWER: Part(trained=cut.objective is not None, reason=_two_tower_reason(cut)),
        RANKER: Part(trained=cut.ranks or cut.ranks_visits, reason=_ranker_reason(cut)),
    }


def _two_tower_reason(cut: Cut) -> str:
    if cut.objective is not None:
        repeats = f"{cut.early.repeat_share:.0%} of the purchases are repeats"
        if cut.items.by == "interactions":
            repeats = f"from {cut.early.sequences:,} people and visits, since purchases are too few"
        return f"learns {cut.objective.replace('_', ' ')}: {repeats}"
    return _too_little(cut) or (
        f"{cut.examples:,} times somebody bought again within {cut.times.target_days} days and {cut.early.sequences:,} people bought twice "
        f"before {cut.moments.windows[0]:%Y-%m-%d}; {EXAMPLES_MIN} or {SEQUENCES_MIN} are needed"
    )


def _ranker_reason(cut: Cut) -> str:
    if cut.ranks_visits:
        return f"learns what comes next in visits: from {cut.visits:,} that began from {cut.moments.windows[0]:%Y-%m-%d} on"
    if cut.ranks:
        return ""
    return _too_little(cut) or (
        f"{cut.window_people:,} people had bought before {cut.moments.windows[0]:%Y-%m-%d}, and {cut.labelled:,} bought again within "
        f"{cut.times.horizon_days} days; {WINDOW_PEOPLE_MIN} and {LABELLED_MIN} are needed"
    )


def _too_little(cut: Cut) -> str | None:
    """Why no model of a person can be trained, whichever it is; None where it depends on the model."""
    if not cut.moments.windows:
        return _no_window(cut)
    return f"{_items(cut)}; {ITEMS_MIN} are needed" if cut.trainable < ITEMS_MIN else None


def _no_window(cut: Cut) -> str:
    if not cut.people:
        return "no purchase names a person"
    return f"of {cut.people:,} people too few bought again, or over too short a time, to learn from what they did next"


def _items(cut: Cut) -> str:
    enough = "buyers" if cut.items.by == "purchases" else "people and visits"
    return f"{cut.trainable:,} items have {cut.items.least} {enough} or more"


def tables_of(log: PurchaseLog, cut: Cut) -> dict[str, Part]:
    """What is counted."""
    people, visits = log.together(replace(cut.items, before=cut.moments.data_end))
    together = f"with two items and more; {BASKETS_MIN} are needed"
    return {
        "item_to_item": Part(trained=people >= BASKETS_MIN, reason="" if people >= BASKETS_MIN else f"{people} people {together}"),
        "complements": Part(trained=visits >= BASKETS_MIN, reason="" if visits >= BASKETS_MIN else f"{visits} baskets {together}"),
        "popularity": Part(trained=True, reason=""),
    }
