"""`endcap schemas`: whether contracts still read what is in the topics, and their schemas in a registry."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from endcap.cli.output import JsonOption, print_json, print_table
from endcap.core.settings import Settings, load_settings

if TYPE_CHECKING:
    from endcap.events.schemas.changes import SchemaChange
    from endcap.events.schemas.registry import SchemaRegistry

app = typer.Typer(help="Check the schemas of the topics' values, and put them into a schema registry.", no_args_is_help=True)


@app.callback()
def schemas() -> None:
    """Check the schemas of the topics' values, and put them into a schema registry."""


@app.command()
def check(
    registry: Annotated[bool, typer.Option("--registry", help="Also ask the registry that the settings name.")] = False,
    versions: Annotated[
        Path | None, typer.Option(help="Folder of released schemas to compare with; this release's own when left out.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the contracts with all released schemas; ends with exit code 8 where readers would break.

    Example: endcap schemas check
    """
    from endcap.events.schemas.changes import require_compatible, schema_changes
    from endcap.events.schemas.released import VERSIONS

    settings = load_settings()
    changes = schema_changes(folder=versions or VERSIONS)
    objections = _objections(settings, changes) if registry else {}
    rows = [_checked(change) | _said_of(change, objections) for change in changes]
    if as_json:
        print_json(rows)
    else:
        print_table("Schemas", [{name: value for name, value in row.items() if name != "breaks"} for row in rows])
        for row in rows:
            for found in row["breaks"]:
                typer.echo(f"{row['topic']}: {found['field']}: {found['what']}; {found['fix']}")
    require_compatible(changes)
    _require_no_objections(objections)


@app.command()
def publish(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be registered.")] = False, as_json: JsonOption = False
) -> None:
    """Register the released schemas, to be judged BACKWARD_TRANSITIVE; a second time changes nothing.

    Example: endcap schemas publish --dry-run
    """
    from endcap.events.schemas.publishing import published

    settings = load_settings()
    with _opened(settings) as registry:
        found = published(registry, settings.events, is_dry_run=dry_run)
    rows = [{"subject": each.subject, "version": each.version, "id": each.id, "outcome": each.outcome.value} for each in found]
    if as_json:
        print_json(rows)
    else:
        print_table("Schemas", rows)


@contextmanager
def _opened(settings: Settings) -> "Iterator[SchemaRegistry]":
    from endcap.events.schemas.registry import open_registry

    registry = open_registry(settings.schemas)
    try:
        yield registry
    finally:
        registry.close()


def _checked(change: "SchemaChange") -> dict[str, Any]:
    if change.breaks:
        state = "breaks readers"
    elif change.is_new:
        state = "changed, compatible"
    else:
        state = "as released"
    breaks = [{"field": each.field, "what": each.what, "fix": each.fix} for each in change.breaks]
    return {"topic": change.topic.stem, "version": change.version, "state": state, "breaks": breaks}


def _objections(settings: Settings, changes: "tuple[SchemaChange, ...]") -> dict[str, list[str] | None]:
    """By stem, what the registry has against the schema; None where it has none of the subject's."""
    from endcap.contracts.topic_schema import schema_text
    from endcap.contracts.topics import value_subject

    with _opened(settings) as registry:
        asked = {
            change.topic.stem: registry.objections(
                value_subject(change.topic.named(settings.events.topic_prefix)), schema_text(change.schema)
            )
            for change in changes
        }
    return {stem: None if found is None else list(found) for stem, found in asked.items()}


def _said_of(change: "SchemaChange", objections: dict[str, list[str] | None]) -> dict[str, Any]:
    if change.topic.stem not in objections:
        return {}
    found = objections[change.topic.stem]
    return {"registry": "has none of it" if found is None else "; ".join(found) or "compatible"}


def _require_no_objections(objections: dict[str, list[str] | None]) -> None:
    from endcap.core.errors import SchemaIncompatible

    for stem, found in objections.items():
        if found:
            fix = "look at the subject's versions: something else was registered there"
            raise SchemaIncompatible(f"the schema registry refuses the schema: {found[0]}", field=stem, fix=fix)
