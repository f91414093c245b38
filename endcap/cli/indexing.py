"""`endcap index`: the Milvus collections of the bundles."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Any

import typer

from endcap.cli.output import JsonOption, print_json, print_table
from endcap.core.settings import MilvusSettings, Settings, load_settings

app = typer.Typer(help="Build, check, list and prune the Milvus collections of bundles.", no_args_is_help=True)

VersionArgument = Annotated[int | None, typer.Argument(help="Version of the bundle; the served one when left out.", show_default=False)]


@app.command()
def build(version: VersionArgument = None, as_json: JsonOption = False) -> None:
    """Build a bundle's collection again and check it; the alias moves to it only if the bundle is the served one.

    Example: endcap index build
    """
    _index(version, rebuild=True, as_json=as_json)


@app.command()
def check(version: VersionArgument = None, as_json: JsonOption = False) -> None:
    """Compare a bundle's collection with exact search; build it if it is missing or incomplete.

    Example: endcap index check 20261127080000
    """
    _index(version, rebuild=False, as_json=as_json)


@app.command(name="list")
def list_(as_json: JsonOption = False) -> None:
    """Show the collections, newest first.

    Example: endcap index list
    """
    from endcap.release.index.alias import list_collections

    with _client(load_settings()) as (client, milvus):
        states = list_collections(client, milvus.collection_prefix)
    if as_json:
        print_json([asdict(state) for state in states])
    elif states:
        print_table("Collections", [{**asdict(state), "is_aliased": "yes" if state.is_aliased else ""} for state in states])
    else:
        typer.echo("No collections yet; run `endcap pipeline run`.")


@app.command()
def prune(
    keep: Annotated[int | None, typer.Option(min=1, help="Collections to keep; ENDCAP_MILVUS__KEEP_COLLECTIONS when left out.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Drop the oldest collections, never the one in use.

    Example: endcap index prune --keep 2
    """
    from endcap.release.index.alias import prune_collections

    with _client(load_settings()) as (client, milvus):
        dropped = prune_collections(client, milvus.collection_prefix, keep or milvus.keep_collections)
    if as_json:
        print_json({"dropped": dropped})
    else:
        typer.echo(f"Dropped: {', '.join(dropped)}" if dropped else "Nothing to drop.")


def _index(version: int | None, *, rebuild: bool, as_json: bool) -> None:
    from endcap.release.bundle.manifest import open_bundle
    from endcap.release.bundle.promotion import served_bundle
    from endcap.release.index.bundle_index import index_bundle, point_alias
    from endcap.release.index.local_server import running_milvus

    settings = load_settings()
    bundle = served_bundle(settings.served_dir) if version is None else open_bundle(settings.bundles_dir / str(version))
    with running_milvus(settings) as milvus:
        report = index_bundle(bundle, milvus, limit=settings.retrieval.two_tower_quota, rebuild=rebuild, seed=settings.seed)
        if version is None:
            point_alias(milvus, report.collection)
    if as_json:
        print_json(asdict(report))
    else:
        print_table("Index", [asdict(report)])


@contextmanager
def _client(settings: Settings) -> Iterator[tuple[Any, MilvusSettings]]:
    from endcap.release.index.connection import connect
    from endcap.release.index.local_server import running_milvus

    with running_milvus(settings) as milvus:
        client = connect(milvus)
        try:
            yield client, milvus
        finally:
            client.close()
