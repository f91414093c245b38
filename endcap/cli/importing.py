"""`endcap import`: make a canonical dataset."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from endcap.cli.import_report import arrived_notes, finish_import
from endcap.cli.output import JsonOption, print_json, print_table
from endcap.core.errors import DataRejected, InvalidInput
from endcap.core.person_ids import load_person_ids
from endcap.core.settings import load_settings

if TYPE_CHECKING:
    from endcap.contracts.signals import Signals
    from endcap.contracts.training_plan import TrainingPlan
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
    finish_import(dataset, settings, reused, as_json)


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
    finish_import(dataset, settings, reused, as_json)


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
    finish_import(dataset, settings, reused, as_json)


@app.command("log")
def log(
    data: Annotated[
        Path | None, typer.Option("--data", help="Dataset that goes on; $ENDCAP_HOME/data unless given.", file_okay=False)
    ] = None,
    events: Annotated[Path | None, typer.Option("--events", help="Folder of the event log; the settings' unless given.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write; the dataset's own unless given.", file_okay=False)] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Go on with a dataset: add what the collector took since, and the items that wait, for the next training to learn from.

    Example: endcap import log
    """
    from endcap.catalogue.changes.waiting_items import WAITING_FILE, WaitingItems
    from endcap.dataset.kept_ids import require_kept
    from endcap.dataset.layout import open_dataset
    from endcap.dataset.progress_bars import table_bars
    from endcap.events.log.kept_ids import log_person_ids
    from endcap.events.log.whole_log import require_whole_log
    from endcap.events.stream.bots import BotRules
    from endcap.training.continued_dataset import arrivals, continue_dataset

    settings = load_settings()
    base, log_dir, ids = open_dataset(data or settings.data_dir), events or settings.event_log_dir, load_person_ids(settings)
    require_kept(base, ids)
    if events is None:
        require_whole_log(settings, log_dir)
    if any(log_dir.glob("*")):
        ids.require(log_person_ids(log_dir), where=str(log_dir), otherwise="name another --events")
    arrived = arrivals(base, log_dir, WaitingItems(settings.live_dir / WAITING_FILE).read(), BotRules.of(settings.stream))
    with table_bars() as watch:
        dataset, reused = continue_dataset(base, arrived, out or base.path, settings.data.max_rejected_share, force=force, watch=watch)
    if not as_json:
        for note in arrived_notes(base, arrived):
            typer.echo(note)
    finish_import(dataset, settings, reused, as_json)


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
