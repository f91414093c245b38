"""`endcap import`: make a canonical dataset."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from endcap.cli.output import JsonOption, print_json, print_table
from endcap.core.errors import DataRejected, InvalidInput
from endcap.core.person_ids import load_person_ids
from endcap.core.settings import Settings, load_settings

if TYPE_CHECKING:
    from endcap.contracts.signals import Signals
    from endcap.contracts.training_plan import TrainingPlan
    from endcap.dataset.busy_people import BusyPerson
    from endcap.dataset.layout import Dataset


app = typer.Typer(help="Make a canonical dataset from recorded data.", no_args_is_help=True)

OutOption = Annotated[Path | None, typer.Option("--out", help="Folder of the dataset; $ENDCAP_HOME/data unless given.", file_okay=False)]
ForceOption = Annotated[bool, typer.Option("--force", help="Import even when the same dataset is there already.")]


@app.command("complete-journey")
def complete_journey(
    out: OutOption = None,
    sample_households: Annotated[int | None, typer.Option(min=1, help="Keep only this many households, the same ones every time.")] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Import the Complete Journey: a year of groceries of 2,469 households.

    Example: endcap import complete-journey --sample-households 150 --out sample
    """
    from endcap.dataset.progress_bars import table_bars
    from endcap.dataset.sources.complete_journey import CompleteJourneyOptions, import_complete_journey

    settings = load_settings()
    with table_bars() as watch:
        dataset, reused = import_complete_journey(
            out or settings.data_dir,
            CompleteJourneyOptions(sample_households),
            settings.data.max_rejected_share,
            force=force,
            watch=watch,
        )
    _finish(dataset, settings, reused, as_json)


@app.command("folder")
def folder(
    source: Annotated[Path, typer.Argument(help="Folder with the CSV or Parquet files.")],
    mapping: Annotated[Path, typer.Option("--mapping", help="YAML file that says which column is which; docs/data.md explains it.")],
    out: OutOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Import your own files by a mapping.

    Example: endcap import folder exports --mapping mapping.yaml
    """
    from endcap.dataset.progress_bars import table_bars
    from endcap.dataset.sources.folder import import_folder

    settings = load_settings()
    with table_bars() as watch:
        dataset, reused = import_folder(
            source, mapping, out or settings.data_dir, settings.data.max_rejected_share, force=force, watch=watch
        )
    _finish(dataset, settings, reused, as_json)


@app.command("suggest")
def suggest(
    source: Annotated[Path, typer.Argument(help="Folder with the files.", file_okay=False)],
    out: Annotated[Path | None, typer.Option("--out", help="File to write; standard output unless given.", dir_okay=False)] = None,
    as_json: JsonOption = False,
) -> None:
    """Suggest a mapping for a folder's files to start from; each guess has its reason as a comment.

    Example: endcap import suggest exports --out mapping.yaml
    """
    from endcap.dataset.sources.suggestion.suggested_mapping import suggest_mapping

    if not source.is_dir():
        raise InvalidInput("the folder is missing", field="folder", value=str(source))
    text = suggest_mapping(source)
    if out is not None:
        if out.exists():
            raise InvalidInput("the file is there already", field="--out", value=str(out), fix="name another, or remove it")
        out.write_text(text, encoding="utf-8")
    if as_json:
        print_json({"path": str(out) if out else None, "mapping": text})
    elif out is None:
        typer.echo(text, nl=False)
    else:
        typer.echo(f"{out}: look at the lines marked GUESS, then import: endcap import folder {source} --mapping {out}")


@app.command("sequences")
def sequences(
    interactions: Annotated[Path, typer.Option("--interactions", help="Text file, a user a line: user id, then item ids in order.")],
    attributes: Annotated[Path | None, typer.Option("--attributes", help="JSON file: item id -> list of attribute ids.")] = None,
    carts: Annotated[Path | None, typer.Option("--carts", help="Text file of cart additions, a user a line; needs --unordered.")] = None,
    holdout: Annotated[
        Path | None,
        typer.Option("--holdout", help="Text file of purchases, a user a line, that no model learns from and lists are judged by."),
    ] = None,
    *,
    unordered: Annotated[bool, typer.Option("--unordered", help="The order of items within a line means nothing.")] = False,
    encoding: Annotated[str | None, typer.Option(help="Encoding of the files; their byte-order mark's or UTF-8 unless given.")] = None,
    separator: Annotated[
        Literal["auto", "blank", "tab", "comma", "semicolon"],
        typer.Option(help="Between ids; auto takes the tab, semicolon or comma that stands in every line, else blanks."),
    ] = "auto",
    out: OutOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Import sequences without times, as research publishes them; the dataset's times carry the order only.

    Example: endcap import sequences --interactions Beauty.txt --attributes Beauty_item2attributes.json --out beauty
    """
    from endcap.dataset.progress_bars import table_bars
    from endcap.dataset.sources.sequence_lines import Separator
    from endcap.dataset.sources.sequences import SequenceFiles, SequenceReading, import_sequences

    settings = load_settings()
    with table_bars() as watch:
        dataset, reused = import_sequences(
            SequenceFiles(interactions, attributes, carts, holdout),
            out or settings.data_dir,
            settings.data.max_rejected_share,
            reading=SequenceReading(encoding, Separator(separator), unordered),
            force=force,
            watch=watch,
        )
    _finish(dataset, settings, reused, as_json)


def _finish(dataset: "Dataset", settings: Settings, reused: bool, as_json: bool) -> None:
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
    for person in busy:
        yield (
            f"The user_id {person.user_id!r} has {person.share:.0%} of all customers' events ({person.events:,}), far more than any other. "
            f"If it stands for no customer, name it in null_values of the mapping of events."
        )
    for table, copies in dataset.copies.items():
        yield f"{copies:,} rows of {table} are copies of a row with the same id; each counts once"
    for table, rows in dataset.left_out.items():
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


def validate(
    data: Annotated[Path | None, typer.Argument(help="Folder of the dataset; $ENDCAP_HOME/data unless given.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Check every row of a canonical dataset against the contracts, and show what it allows to train.

    Events teach as ENDCAP_TRAINING__SIGNALS_FILE says. Ends with exit code 3 when a table has too many bad rows.

    Example: endcap validate sample
    """
    from endcap.dataset.assembly import judge_dataset
    from endcap.dataset.kept_ids import require_kept
    from endcap.dataset.layout import open_dataset
    from endcap.dataset.progress_bars import table_bars
    from endcap.training.planning.plan_table import plan_lines
    from endcap.training.signals_file import read_signals

    settings = load_settings()
    dataset, signals = open_dataset(data or settings.data_dir), read_signals(settings.training.signals_file)
    require_kept(dataset, load_person_ids(settings))
    with table_bars() as watch:
        tallies = judge_dataset(dataset, settings.data.max_rejected_share, watch)
    plan, nothing = _plan(dataset, signals)
    tables = [
        {
            "table": tally.table,
            "rows": tally.read,
            "copies": tally.copies,
            "bad": tally.rejected,
            "bad share": tally.rejected_share,
            "reasons": "; ".join(f"{column}: {reason} ({count:,})" for (column, reason), count in tally.reasons.most_common()),
        }
        for tally in tallies
    ]
    if as_json:
        print_json(
            {
                "path": str(dataset.path),
                "tables": [{**table, "refused_at_import": dataset.rejected[str(table["table"])]} for table in tables],
                "plan": plan.model_dump(mode="json") if plan else None,
                "nothing_to_train": nothing,
            }
        )
        return
    print_table(f"{dataset.path}: good", tables)
    for line in plan_lines(plan) if plan else [f"Nothing can be trained: {nothing}"]:
        typer.echo(line)


def _plan(dataset: "Dataset", signals: "Signals") -> "tuple[TrainingPlan | None, str | None]":
    """What the pipeline would train on the dataset with these signals, or why nothing."""
    from endcap.training.planning.planning import Requested, plan_training

    try:
        return plan_training(dataset, Requested(signals=signals)), None
    except (DataRejected, InvalidInput) as error:
        return None, f"{error}"
