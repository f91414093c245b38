"""`endcap serve`: everything that answers predict calls, on this machine."""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from endcap.cli.output import JsonOption, print_json
from endcap.core.settings import Settings, load_settings


def serve(  # noqa: PLR0917 - an option a parameter, as typer reads them
    http_port: Annotated[int | None, typer.Option(help="Port of the predict endpoint.", show_default="8080")] = None,
    grpc_port: Annotated[int | None, typer.Option(help="Port of the gRPC predict endpoint.", show_default="8081")] = None,
    milvus_port: Annotated[int | None, typer.Option(help="Port of the local Milvus.", show_default="19530")] = None,
    model_port: Annotated[int | None, typer.Option(help="Port of the local model server.", show_default="8500")] = None,
    collector_port: Annotated[int | None, typer.Option(help="Port of the collector.", show_default="8090")] = None,
    stream_port: Annotated[int | None, typer.Option(help="Port of the stream's health and metrics.", show_default="8091")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show the parts' own log lines.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Serve the promoted bundle until Ctrl-C: Milvus, the model server and the transformer; and events: the collector and the stream.

    Example: endcap serve --http-port 9090
    """
    from endcap.release.bundle.promotion import served_bundle
    from endcap_local.parts import Part, event_parts, local_parts, require_free_ports
    from endcap_local.supervisor import PartsLog, Supervisor

    settings = with_ports(
        load_settings(),
        {
            "serving": {"http_port": http_port, "grpc_port": grpc_port},
            "milvus": {"port": milvus_port},
            "model_server": {"port": model_port},
            "collector": {"port": collector_port},
            "stream": {"port": stream_port},
        },
    )
    bundle = served_bundle(settings.served_dir)
    serving = local_parts(settings)
    parts = [*serving, *event_parts(settings)]
    require_free_ports(parts)
    console = Console(stderr=as_json, highlight=False)
    started = time.monotonic()
    ready: list[Part] = []

    def show(part: Part) -> None:
        ready.append(part)
        console.print(f"[green]ready[/] {part.name:<13} {part.address}  [dim]{time.monotonic() - started:.1f} s[/]")
        if len(ready) == len(serving):
            _show_address(settings, bundle.manifest.name, parts, console, as_json)

    log = PartsLog(settings.home / "logs", [part.name for part in parts], _echo(console) if verbose else None, _notice(console))
    console.print(f"starting {', '.join(part.name for part in parts)} for {bundle.manifest.name}; logs in {log.folder}")
    Supervisor(parts, log, show).run()
    console.print("all parts stopped")


def with_ports(settings: Settings, given: Mapping[str, Mapping[str, int | None]]) -> Settings:
    """The same settings with the ports, by section and name, that are not None."""
    return settings.model_copy(
        update={
            section: getattr(settings, section).model_copy(update={name: port for name, port in ports.items() if port is not None})
            for section, ports in given.items()
        }
    )


def example_request(data_dir: Path) -> dict[str, Any]:
    """A predict body with a user of the served dataset, or without one when there is no dataset here."""
    events = data_dir / "events.parquet"
    instance: dict[str, Any] = {"surface": "home", "k": 5}
    if events.is_file():
        import polars as pl

        users = pl.scan_parquet(events).select(pl.col("user_id").drop_nulls().head(1)).collect()
        if len(users):
            instance = {"user_id": str(users.item()), **instance}
    return {"instances": [instance]}


def _show_address(settings: Settings, bundle: str, parts: list[Any], console: Console, as_json: bool) -> None:
    serving = settings.serving
    url = f"http://{serving.host}:{serving.http_port}/v1/models/{serving.model_name}:predict"
    if as_json:
        print_json({"bundle": bundle, "predict": url, "pid": os.getpid(), "parts": {part.name: part.address for part in parts}})
    if settings.events.probe_seconds:
        console.print("\nHow long events take to the lists: endcap events way")
    console.print("\nTry it, and stop with Ctrl-C:\n")
    console.print(f"  curl -s {url} -d '{json.dumps(example_request(settings.data_dir))}'\n", soft_wrap=True, markup=False)


def _echo(console: Console) -> Any:
    return lambda name, line: console.print(f"{name:>13} | {line}", markup=False, soft_wrap=True)


def _notice(console: Console) -> Any:
    return lambda line: console.print(line, markup=False, style="yellow", soft_wrap=True)
