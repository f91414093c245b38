"""What an import says of the dataset that it made."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import typer

from endcap.cli.output import print_json, print_table
from endcap.core.person_ids import load_person_ids
from endcap.core.settings import Settings

if TYPE_CHECKING:
    from endcap.dataset.busy_people import BusyPerson
    from endcap.dataset.layout import Dataset
    from endcap.training.continued_dataset import Arrivals

SILENCE = timedelta(days=28)
"""Between a dataset and what goes on with it; longer ones are told."""


def finish_import(dataset: "Dataset", settings: Settings, reused: bool, as_json: bool) -> None:
    """Keep ids as the settings want them, and report; ids that stand for nobody are looked for before, to be named as they came."""
    from endcap.dataset.busy_people import busy_people
    from endcap.dataset.kept_ids import with_kept_ids

    busy = busy_people(dataset.table("events"))
    _report(with_kept_ids(dataset, load_person_ids(settings)), busy, reused, as_json)


def _report(dataset: "Dataset", busy: "Sequence[BusyPerson]", reused: bool, as_json: bool) -> None:
    if as_json:
        people = [{"user_id": person.user_id, "events": person.events, "share": person.share} for person in busy]
        print_json({"path": str(dataset.path), "reused": reused, **dataset.describe(), "implausible_users": people})
        return
    state = "already there" if reused else "imported"
    print_table(
        f"{dataset.path}: {state}, events from {dataset.first_event_at:%Y-%m-%d %H:%M} to {dataset.last_event_at:%Y-%m-%d %H:%M} UTC",
        [{"table": table, "rows": f"{rows:,}", "rejected": f"{dataset.rejected.get(table, 0):,}"} for table, rows in dataset.rows.items()],
    )
    for note in _notes(dataset, busy):
        typer.echo(note)


def _notes(dataset: "Dataset", busy: "Sequence[BusyPerson]") -> Iterator[str]:
    """What of the data counts otherwise than a reader of the table would think."""
    from endcap.dataset.layout import WITH_LOG

    for person in busy:
        yield (
            f"The user_id {person.user_id!r} has {person.share:.0%} of all customers' events ({person.events:,}), far more than any other. "
            f"If it stands for no customer, name it in null_values of the mapping of events."
        )
    for table, copies in dataset.copies.items():
        yield f"{copies:,} rows of {table} are copies of a row with the same id; each counts once"
    for table, rows in dataset.left_out.items():
        if not dataset.source.endswith(WITH_LOG):
            yield f"{rows:,} rows were left out of {table} by `where`; where several mappings read one file, each counts for itself"
    if dataset.equal_lines:
        yield (
            f"{dataset.equal_lines:,} events differ from an earlier one by nothing but their place, and count; "
            "where they are copies, map event_id or event_id_from"
        )
    if dataset.events_without_user:
        share = dataset.events_without_user / dataset.rows["events"]
        yield f"{dataset.events_without_user:,} events ({share:.0%}) have no user; they teach as visits of nobody known"
    if dataset.purchases_without_price:
        yield f"{dataset.purchases_without_price:,} purchases have no price; they count, and say nothing of prices and spending"
    if dataset.held_out:
        yield (
            f"{dataset.held_out:,} purchases are held out to judge lists by; {dataset.held_out_cart_additions:,} cart additions "
            "of the same items by the same people are left out"
        )
    if dataset.returns:
        yield f"{dataset.returns:,} returns and cancellations, {dataset.unmatched_returns:,} of them of nothing that was bought and kept"


def arrived_notes(base: "Dataset", arrived: "Arrivals") -> Iterator[str]:
    """What came, and where the log does not go on where the dataset ends."""
    yield f"{len(arrived.events):,} events are new, {arrived.left_out:,} of the log do not count; {len(arrived.items):,} items waited"
    if arrived.withdrawn:
        yield f"{len(arrived.withdrawn):,} people took their consent back: nothing of theirs is learned from"
    began = arrived.events["occurred_at"].min()
    if isinstance(began, datetime) and began - base.last_event_at > SILENCE:
        silence = f"between {base.last_event_at:%Y-%m-%d}, where the dataset ends, and {began:%Y-%m-%d}, where the log goes on"
        yield f"Nothing is known of the time {silence}; what models learn of time takes it for a silence of the shop"
