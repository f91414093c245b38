"""`endcap events`: events sent, looked at and filled in later."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from endcap.cli.output import JsonOption, print_json, print_table
from endcap.core.errors import InvalidInput
from endcap.core.settings import Settings, load_settings

if TYPE_CHECKING:
    import polars as pl

    from endcap.events.probes.shown import StationShown

app = typer.Typer(help="Send events to the collector, and look at the event log.", no_args_is_help=True)

STDIN = "-"
SHOWN = 20
"""Refused events that are shown one by one; the others are counted."""
_LOOKED_AT = 1_000
_ANSWER_SECONDS = 30.0
_METRICS_SECONDS = 5.0
_COLUMNS = ("occurred_at", "event_type", "user_id", "session_id", "item_id", "query", "request_id", "position")

FileArgument = Annotated[str, typer.Argument(help="JSON lines, an event a line; - for standard input.")]
ToOption = Annotated[
    str | None, typer.Option("--to", help="Address of the collector; the settings' own when left out.", show_default=False)
]
KeyOption = Annotated[str | None, typer.Option("--key", envvar="ENDCAP_EVENT_KEY", help="A key of the collector.", show_default=False)]


@app.callback()
def events() -> None:
    """Send events to the collector, and look at the event log."""


@app.command()
def send(file: FileArgument, to: ToOption = None, key: KeyOption = None, as_json: JsonOption = False) -> None:
    """Send events; what is sent again counts once.

    Example: endcap events send clicks.jsonl
    """
    _send(file, to, key, as_json)


@app.command()
def backfill(file: FileArgument, key: KeyOption = None, to: ToOption = None, as_json: JsonOption = False) -> None:
    """Send events of the past, with a key whose scope is backfill: how long ago they happened does not matter.

    Example: endcap events backfill last-year.jsonl --key $KEY
    """
    if not key:
        raise InvalidInput("is missing", field="--key", fix="give a key whose scope is backfill; endcap events key makes one")
    _send(file, to, key, as_json)


@app.command()
def tail(
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Newest events to show.")] = 10,
    event_type: Annotated[str | None, typer.Option("--type", help="Of this type only.", show_default=False)] = None,
    probes: Annotated[bool, typer.Option("--probes", help="Show probes too, which nobody did and nothing counts.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the newest events of the event log.

    Where it is Kafka's, those of a type are looked for among the newest thousand of each partition.

    Example: endcap events tail --type click
    """
    import polars as pl

    from endcap.contracts.probe import PROBE

    frame = _log(load_settings(), count)
    if not probes:
        frame = frame.filter(pl.col("event_type").ne_missing(PROBE))
    if event_type is not None:
        frame = frame.filter(pl.col("event_type") == event_type)
    rows = frame.sort("received_at", maintain_order=True).tail(count).collect().to_dicts()
    if as_json:
        print_json([{name: value for name, value in row.items() if value is not None} for row in rows])
    elif rows:
        shown = [name for name in _COLUMNS if any(row[name] is not None for row in rows)]
        print_table("Events", [{name: row[name] for name in shown} for row in rows])
    else:
        typer.echo("there are no events")


@app.command()
def way(as_json: JsonOption = False) -> None:
    """Show how far events get, and how long it takes: the newest probe at each station of the parts on this machine.

    Example: endcap events way
    """
    from endcap.core.clock import system_clock
    from endcap.events.probes.stations import STATIONS, Station

    settings, now = load_settings(), system_clock()
    found, silent = _stations(settings)
    rows = [{"station": each.station.value, "age_seconds": each.age_seconds(now), "delay_seconds": each.delay_seconds} for each in found]
    arrived = next((each.delay_seconds for each in found if each.station is Station.ONLINE_STORE), None)
    if as_json:
        print_json({"stations": rows, "silent": silent, "to_lists_seconds": arrived})
        return
    if rows:
        print_table(
            "Newest probes",
            [{name: "none yet" if value is None else _said(value) for name, value in row.items()} for row in rows],
        )
    for part in silent:
        typer.echo(f"{part} does not answer", err=True)
    if not settings.events.probe_seconds:
        typer.echo("ENDCAP_EVENTS__PROBE_SECONDS is 0: no probes are made")
    elif arrived is not None:
        typer.echo(f"events reach lists in {arrived:.1f} s")
    else:
        typer.echo(f"no probe reached the online store yet. {STATIONS[Station.ONLINE_STORE]}")


@app.command()
def key(
    name: Annotated[str, typer.Argument(help="What dead letters and metrics call it.")],
    scope: Annotated[str, typer.Option(help="browser, server, backfill, transformer or catalogue.")],
    origin: Annotated[list[str] | None, typer.Option(help="Of a browser key: pages that may send with it.", show_default=False)] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key, and the entry for the collector's file of keys; the key itself is shown this once.

    Example: endcap events key web --scope browser --origin https://shop.example
    """
    import hashlib
    import secrets

    import yaml

    from endcap.events.acceptance.scopes import Scope

    if scope not in set(Scope):
        raise InvalidInput("no such scope", field="--scope", value=scope, fix=", ".join(Scope))
    secret = secrets.token_urlsafe(32)
    entry: dict[str, Any] = {"name": name, "sha256": hashlib.sha256(secret.encode()).hexdigest(), "scope": scope}
    if origin:
        entry["origins"] = origin
    if as_json:
        print_json({"key": secret, "entry": entry})
        return
    typer.echo(f"key: {secret}", err=True)
    typer.echo(yaml.safe_dump({"keys": [entry]}, sort_keys=False), nl=False)


def _stations(settings: Settings) -> "tuple[list[StationShown], list[str]]":
    """Stations in the order of the way, and the parts that do not answer."""
    import httpx

    from endcap.events.probes.shown import stations_shown

    parts = {
        "the collector": (settings.collector.host, settings.collector.port),
        "the stream": (settings.stream.host, settings.stream.port),
        "the transformer": (settings.serving.host, settings.serving.http_port),
    }
    found: list[StationShown] = []
    silent: list[str] = []
    for part, (host, port) in parts.items():
        try:
            answer = httpx.get(f"http://{host}:{port}/metrics", timeout=_METRICS_SECONDS, trust_env=False).raise_for_status()
        except httpx.HTTPError:
            silent.append(part)
        else:
            found += stations_shown(answer.text)
    return found, silent


def _said(value: object) -> object:
    return f"{value:.2f}" if isinstance(value, float) else value


def _log(settings: Settings, count: int) -> "pl.LazyFrame":
    """The newest events and probes at least, wherever they are kept."""
    if settings.events.kafka_bootstrap:
        return _newest_in_kafka(settings, max(count, _LOOKED_AT)).lazy()
    from endcap.events.log.reader import read_log

    return read_log(settings.event_log_dir)


def _newest_in_kafka(settings: Settings, messages: int) -> "pl.DataFrame":
    import polars as pl

    from endcap.contracts.probe import PROBE
    from endcap.events.log.kafka_config import kafka_config
    from endcap.events.log.topic_names import read_topics
    from endcap.events.stream.kafka.newest import newest_messages
    from endcap.events.stream.lines import MADE_AT

    found = newest_messages(kafka_config(settings.events), read_topics(settings), messages, seconds=_ANSWER_SECONDS)
    probes = found.probes.select(
        event_type=pl.lit(PROBE), occurred_at=pl.col(MADE_AT), received_at=pl.col(MADE_AT), session_id=pl.lit(None, pl.String())
    )
    return pl.concat([found.events, probes], how="diagonal")


def _send(file: str, to: str | None, key: str | None, as_json: bool) -> None:
    import httpx

    from endcap.events.sending import send_events

    settings = load_settings().collector
    with httpx.Client(base_url=to or f"http://{settings.host}:{settings.port}", timeout=60) as client:
        sent = send_events(_lines(file), client, key, time.sleep)
    if as_json:
        print_json({"accepted": sent.accepted, "duplicates": sent.duplicates, "refused": sent.refused})
        return
    typer.echo(f"{sent.accepted:,} accepted, {sent.duplicates:,} there before, {len(sent.refused):,} refused")
    for refused in sent.refused[:SHOWN]:
        typer.echo(f"line {refused['index'] + 1}: {refused.get('field', 'the event')}: {refused['reason']}", err=True)
    if len(sent.refused) > SHOWN:
        typer.echo(f"and {len(sent.refused) - SHOWN:,} more", err=True)


def _lines(file: str) -> Iterator[str]:
    """Lines that are not blank."""
    if file == STDIN:
        yield from (line.strip() for line in sys.stdin if line.strip())
        return
    try:
        with Path(file).open(encoding="utf-8") as lines:
            yield from (line.strip() for line in lines if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot be read ({error})", field="FILE", value=file, fix="name a file of JSON lines, or -") from error
