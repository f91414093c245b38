"""`endcap items`: price and stock while a bundle is served."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from endcap.cli.output import JsonOption, print_json
from endcap.core.errors import BundleInvalid, DataRejected, InvalidInput
from endcap.core.settings import Settings, load_settings

if TYPE_CHECKING:
    import polars as pl

    from endcap.catalogue.update_rows import Format, JudgedRows

app = typer.Typer(help="Change price and stock of items while they are served.", no_args_is_help=True)

STDIN = "-"
SHOWN = 100
"""Bad rows that are said one by one; the others are counted."""


@app.callback()
def items() -> None:
    """Change price and stock of items while they are served."""


@app.command()
def update(
    file: Annotated[str, typer.Argument(help="CSV, JSON lines or Parquet with the items that change; - for standard input.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="The file is all that differs from the bundle; forget the updates of before.")
    ] = False,
    form: Annotated[str | None, typer.Option("--format", help="csv, jsonl or parquet; by name or content when left out.")] = None,
    at: Annotated[
        str | None, typer.Option(help="UTC instant of rows without updated_at, ISO 8601; now when left out.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Take up prices, stock and other live values; servers show them within two seconds.

    Example: endcap items update prices.csv
    """
    from endcap.catalogue.item_updates import (
        UPDATES_FILE,
        alone,
        joined_updates,
        merged_updates,
        read_updates,
        update_schema,
        write_updates,
    )
    from endcap.catalogue.update_rows import format_of, judged_rows

    settings = load_settings()
    moment = _moment(at)
    name, content = _content(file)
    judged = judged_rows(content, name, _chosen(form) or format_of(name, content), moment)
    _say_bad(judged)
    _require_share(judged, name, settings.data.max_rejected_share)
    target = settings.live_dir / UPDATES_FILE
    if len(judged) or replace:
        with alone(target):
            if replace:
                write_updates(target, merged_updates(update_schema().to_frame(), judged.good))
                present = read_updates(target)
            else:
                present = joined_updates(target, judged.good)
    else:
        present = read_updates(target) if target.exists() else update_schema().to_frame()
    summary = {
        "rows": len(judged),
        "good": len(judged.good),
        "bad": len(judged.bad),
        "items": present["item_id"].n_unique(),
        "file": str(target),
        **_against_bundle(judged.good, settings),
    }
    if as_json:
        print_json({**summary, "bad_rows": [{"line": row.line, "reason": row.reason} for row in judged.bad[:SHOWN]]})
    else:
        _say(summary)


def _content(file: str) -> tuple[str, bytes]:
    """What errors call it, and its bytes."""
    if file == STDIN:
        return "standard input", typer.get_binary_stream("stdin").read()
    try:
        return file, Path(file).read_bytes()
    except OSError as error:
        cause = f"cannot be read ({error.strerror})"
        raise InvalidInput(cause, field="FILE", value=file, fix="name a file, or - for standard input") from error


def _chosen(form: str | None) -> "Format | None":
    match form:
        case None | "csv" | "jsonl" | "parquet":
            return form
        case _:
            raise InvalidInput("no such format", field="--format", value=form, fix="csv, jsonl or parquet")


def _moment(at: str | None) -> datetime:
    from endcap.contracts.moment import require_utc

    if at is None:
        return datetime.now(UTC)
    try:
        return require_utc(datetime.fromisoformat(at))
    except ValueError as error:
        raise InvalidInput(str(error), field="--at", value=at, fix="for example 2026-11-27T08:00:00Z") from error


def _say_bad(judged: "JudgedRows") -> None:
    for row in judged.bad[:SHOWN]:
        typer.echo(f"line {row.line}: {row.reason}", err=True)
    if len(judged.bad) > SHOWN:
        typer.echo(f"and {len(judged.bad) - SHOWN:,} more bad rows", err=True)


def _require_share(judged: "JudgedRows", name: str, most: float) -> None:
    if judged.bad_share > most:
        share = f"{len(judged.bad):,} of {len(judged):,} rows ({judged.bad_share:.2%}) are bad, more than the {most:.2%} allowed"
        fix = "correct these rows, or raise ENDCAP_DATA__MAX_REJECTED_SHARE"
        raise DataRejected(f"{share}; nothing was changed", field=name, fix=fix)


def _against_bundle(good: "pl.DataFrame", settings: Settings) -> dict[str, Any]:
    """How many rows the promoted bundle will not take up; nothing before the first promotion."""
    from endcap.catalogue.item_updates import known_after
    from endcap.core.parquet_file import read_parquet_checked
    from endcap.release.bundle.promotion import served_bundle, served_version

    if served_version(settings.served_dir) is None:
        return {}
    try:
        bundle = served_bundle(settings.served_dir)
    except BundleInvalid as error:
        return {"bundle": f"cannot be read: {error}"}
    fix = "run `endcap pipeline run` again"
    known = read_parquet_checked(bundle.path / "tables" / "items.parquet", columns=["item_id"], fix=fix)
    return {
        "bundle": bundle.manifest.name,
        "unknown_items": len(good.join(known, on="item_id", how="anti")),
        "outdated": len(good.filter(~known_after(bundle.manifest.data_end))),
        "data_end": bundle.manifest.data_end.isoformat().replace("+00:00", "Z"),
    }


def _say(summary: dict[str, Any]) -> None:
    rows, good, bad = (f"{summary[name]:,}" for name in ("rows", "good", "bad"))
    typer.echo(f"{rows} rows: {good} taken up, {bad} bad. {summary['file']} holds values of {summary['items']:,} items.")
    bundle = summary.get("bundle")
    if summary.get("unknown_items"):
        typer.echo(f"{summary['unknown_items']:,} rows are of items that {bundle} does not know.")
    if summary.get("outdated"):
        typer.echo(f"{summary['outdated']:,} rows are from before the end of {bundle}'s data, {summary['data_end']}: it knows better.")
    if bundle is not None and "data_end" not in summary:
        typer.echo(f"The promoted bundle {bundle}.")
