"""`endcap items`: price and stock while a bundle is served, and items that are new to it."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from endcap.cli.events import KeyOption, ToOption
from endcap.cli.output import JsonOption, print_json, print_table
from endcap.contracts.moment import require_utc, utc_text
from endcap.core.errors import BundleInvalid, DataRejected, InvalidInput
from endcap.core.settings import Settings, load_settings

if TYPE_CHECKING:
    import httpx
    import polars as pl

    from endcap.catalogue.update_rows import Format, JudgedRows

app = typer.Typer(help="Change price and stock of items while they are served, and list those that are new.", no_args_is_help=True)

STDIN = "-"
SHOWN = 100
"""Bad rows that are said one by one; the others are counted."""


@app.callback()
def items() -> None:
    """Change price and stock of items while they are served, and list those that are new."""


@app.command()
def update(  # noqa: PLR0917 - an option a parameter, as typer reads them
    file: Annotated[str, typer.Argument(help="CSV, JSON lines or Parquet with the items that change; - for standard input.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="The file is all that differs from the bundle; forget the updates of before.")
    ] = False,
    form: Annotated[str | None, typer.Option("--format", help="csv, jsonl or parquet; by name or content when left out.")] = None,
    at: Annotated[
        str | None, typer.Option(help="UTC instant of rows without updated_at, ISO 8601; now when left out.", show_default=False)
    ] = None,
    to: ToOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take up prices, stock and other live values; servers show them within seconds.

    They are sent to the collector where one answers; else the servers' file is written here.

    Example: endcap items update prices.csv
    """
    from endcap.catalogue.update_rows import format_of, judged_rows

    settings = load_settings()
    moment = _moment(at)
    name, content = _content(file)
    judged = judged_rows(content, name, _chosen(form) or format_of(name, content), moment)
    _say_bad(judged)
    _require_share(judged, name, settings.data.max_rejected_share)
    with _collector(settings, to) as collector:
        if collector is None:
            where = _written(settings, judged, replace=replace)
        elif replace:
            cause = f"{collector.base_url} takes changes of items, and the stream writes the servers' file from them"
            raise InvalidInput(cause, field="--replace", fix="send what changes without it, or stop collector and stream first")
        else:
            where = _sent(collector, key, judged)
    counts = {"rows": len(judged), "good": len(judged.good), "bad": len(judged.bad)}
    summary = {**counts, **where, **_against_bundle(judged.good, settings)}
    if as_json:
        print_json({**summary, "bad_rows": [{"line": row.line, "reason": row.reason} for row in judged.bad[:SHOWN]]})
    else:
        _say(summary)


@app.command()
def waiting(as_json: JsonOption = False) -> None:
    """Show the items that came after the bundle was trained; they wait for the next training.

    Example: endcap items waiting
    """
    from endcap.catalogue.changes.waiting_items import WAITING_FILE, WaitingItems

    found = WaitingItems(load_settings().live_dir / WAITING_FILE).read()
    items = [{**json.loads(text), "updated_at": at} for text, at in found.select("item", "updated_at").iter_rows()]
    if as_json:
        print_json({"waiting": len(items), "items": items})
    elif items:
        shown = [{name: item.get(name) for name in ("item_id", "title", "category_path", "price", "updated_at")} for item in items[:SHOWN]]
        print_table("Items that wait for the next training", shown)
        if len(items) > SHOWN:
            typer.echo(f"and {len(items) - SHOWN:,} more")
    else:
        typer.echo("no item waits for the next training")


@contextmanager
def _collector(settings: Settings, to: str | None) -> Iterator["httpx.Client | None"]:
    """The collector that takes changes: the one that is named, or the settings' own where it answers."""
    import httpx

    from endcap.events.sending import is_collector

    address = to or f"http://{settings.collector.host}:{settings.collector.port}"
    with httpx.Client(base_url=address, timeout=60) as client:
        yield client if to is not None or is_collector(client) else None


def _sent(collector: "httpx.Client", key: str | None, judged: "JudgedRows") -> dict[str, Any]:
    """Send the good rows; what the collector refuses is said."""
    import polars as pl

    from endcap.events.sending import send_items

    rows = judged.good.with_columns(pl.col("updated_at").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")).to_dicts()
    texts = (json.dumps({name: value for name, value in row.items() if value is not None}) for row in rows)
    sent = send_items(texts, collector, key, time.sleep)
    for refused in sent.refused[:SHOWN]:
        typer.echo(f"{rows[refused['index']]['item_id']}: {refused.get('field', 'the row')}: {refused['reason']}", err=True)
    return {"collector": str(collector.base_url), "accepted": sent.accepted, "refused": len(sent.refused)}


def _written(settings: Settings, judged: "JudgedRows", *, replace: bool) -> dict[str, Any]:
    """Write the servers' file; a stream that runs waits its turn, and adds what it hears."""
    from endcap.catalogue import item_updates

    target = settings.live_dir / item_updates.UPDATES_FILE
    nothing = item_updates.update_schema().to_frame()
    if replace:
        with item_updates.alone(target):
            item_updates.write_updates(target, present := item_updates.merged_updates(nothing, judged.good))
    elif len(judged):
        with item_updates.alone(target):
            present = item_updates.joined_updates(target, judged.good)
    else:
        present = item_updates.read_updates(target) if target.exists() else nothing
    return {"items": present["item_id"].n_unique(), "file": str(target)}


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
        "data_end": utc_text(bundle.manifest.data_end),
    }


def _say(summary: dict[str, Any]) -> None:
    rows, good, bad = (f"{summary[name]:,}" for name in ("rows", "good", "bad"))
    if "collector" in summary:
        taken, refused = (f"{summary[name]:,}" for name in ("accepted", "refused"))
        typer.echo(f"{rows} rows: {good} good, {bad} bad. {summary['collector']} took {taken} and refused {refused}.")
    else:
        typer.echo(f"{rows} rows: {good} taken up, {bad} bad. {summary['file']} holds values of {summary['items']:,} items.")
    bundle = summary.get("bundle")
    if summary.get("unknown_items"):
        typer.echo(f"{summary['unknown_items']:,} rows are of items that {bundle} does not know.")
    if summary.get("outdated"):
        typer.echo(f"{summary['outdated']:,} rows are from before the end of {bundle}'s data, {summary['data_end']}: it knows better.")
    if bundle is not None and "data_end" not in summary:
        typer.echo(f"The promoted bundle {bundle}.")
