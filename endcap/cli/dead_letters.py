"""`endcap deadletters`: events that were not taken, mended and stored after all."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from endcap.cli.output import JsonOption, print_json, print_table
from endcap.core.errors import DependencyUnavailable
from endcap.core.settings import Settings, load_settings

if TYPE_CHECKING:
    from endcap.events.acceptance.acceptance import Acceptance
    from endcap.events.dead_letters.replay import Judged
    from endcap.events.dead_letters.sealing import Seal

app = typer.Typer(help="Look at events that were not taken, mend them and store them after all.", no_args_is_help=True)

FixArgument = Annotated[Path | None, typer.Argument(help="YAML with which, rename, remove and set; nothing is changed when left out.")]


@app.callback()
def dead_letters() -> None:
    """Look at events that were not taken, mend them and store them after all."""


@app.command("list")
def list_letters(as_json: JsonOption = False) -> None:
    """Count dead letters by kind, field and reason, the most frequent first.

    Example: endcap deadletters list
    """
    import polars as pl

    from endcap.events.dead_letters.letters import letter_table

    table = letter_table(load_settings().dead_letter_dir)
    counted = table.group_by("kind", "field", "reason").agg(
        letters=pl.len(), newest=pl.col("received_at").max(), example=pl.col("letter_id").last().str.head(13)
    )
    rows = counted.sort("letters", "kind", "reason", descending=[True, False, False]).to_dicts()
    if as_json:
        print_json(rows)
    elif rows:
        print_table("Dead letters", rows)
    else:
        typer.echo("there are no dead letters")


@app.command()
def show(letter: Annotated[str, typer.Argument(help="The letter's id, or its beginning.")], as_json: JsonOption = False) -> None:
    """Show one dead letter with all that was sent; needs the key of dead letters.

    Example: endcap deadletters show 5d2c4b8e-6a0e
    """
    from endcap.events.dead_letters.letters import find_letter, opened_payload

    settings = load_settings()
    found = find_letter(settings.dead_letter_dir, letter)
    sent = opened_payload(found, _seal(settings))
    document = found.model_dump(mode="json", exclude={"payload"})
    document |= {"sent": sent.text, "address": sent.address, "is_cut": sent.is_cut}
    if as_json:
        print_json(document)
        return
    print_table("Dead letter", [{"field": name, "value": "" if value is None else str(value)} for name, value in document.items()])


@app.command("fix")
def try_fix(
    fix: FixArgument = None,
    samples: Annotated[int, typer.Option(min=1, help="Letters it is tried on.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """Try a fix on some dead letters and show what would become of them; nothing is stored.

    Example: endcap deadletters fix rename-price.yaml
    """
    rows = [
        {"letter": str(judged.letter.letter_id), "was": f"{judged.letter.kind}: {judged.letter.reason}", "is": _said(judged)}
        for judged in islice(_judged(load_settings(), fix), samples)
    ]
    if as_json:
        print_json(rows)
    elif rows:
        print_table("After the fix", rows)
    else:
        typer.echo("the fix is for no dead letter")


@app.command("replay")
def replay_letters(fix: FixArgument = None, as_json: JsonOption = False) -> None:
    """Store what is taken now, after a fix if one is given; a second time stores nothing more.

    Example: endcap deadletters replay rename-price.yaml
    """
    from dataclasses import asdict

    from endcap.core.person_ids import load_person_ids
    from endcap.events.dead_letters.replay import replay
    from endcap.events.log.kept_ids import require_kept_log
    from endcap.events.log.whole_log import require_way_to_kafka

    settings = load_settings()
    require_way_to_kafka(settings)
    require_kept_log(settings.event_log_dir, load_person_ids(settings))
    try:
        done = asdict(replay(_judged(settings, fix), settings.dead_letter_dir, settings.event_log_dir))
    except OSError as error:
        raise DependencyUnavailable(
            f"the disk refused: {error.strerror}", field=str(settings.event_log_dir), fix="free or mount it"
        ) from error
    if as_json:
        print_json(done)
    else:
        typer.echo(f"{done['stored']:,} stored, {done['duplicates']:,} were there before, {done['refused']:,} are still refused")


def _judged(settings: Settings, fix_file: Path | None) -> "Iterator[Judged]":
    from endcap.events.dead_letters.fix import read_fix
    from endcap.events.dead_letters.replay import judged_again, open_letters

    fix = read_fix(fix_file)
    return judged_again(open_letters(settings.dead_letter_dir, fix), fix, _acceptance(settings), _seal(settings))


def _said(judged: "Judged") -> str:
    from endcap.events.acceptance.acceptance import Refused

    return f"{judged.verdict.kind}: {judged.verdict.reason}" if isinstance(judged.verdict, Refused) else "taken"


def _acceptance(settings: Settings) -> "Acceptance":
    from endcap.core.person_ids import load_person_ids
    from endcap.events.acceptance.acceptance import Acceptance

    return Acceptance.of(settings, load_person_ids(settings))


def _seal(settings: Settings) -> "Seal":
    from endcap.events.dead_letters.sealing import dead_letter_seal

    # Only who buries makes the key.
    return dead_letter_seal(settings, may_make=(settings.keys_dir / "dead_letters.key").exists())
