"""The `endcap` command. Each installed part adds its own subcommands through the entry point group `endcap.commands`."""

import sys
from importlib.metadata import EntryPoint, entry_points

import typer

from endcap.cli.output import report_failure
from endcap.core.errors import DependencyUnavailable, EndcapError
from endcap.core.log import configure_logging
from endcap.core.settings import load_settings

COMMANDS_GROUP = "endcap.commands"
BROUGHT_BY = {
    "benchmark": "endcap-benchmarks",
    "features": "endcap-components",
    "pipeline": "endcap-pipelines",
    "serve": "endcap-local",
}
"""Commands of other distributions than the library, so that a missing one says what to install."""


def build_app() -> typer.Typer:
    """Assemble the command from the installed parts; a group's app becomes `endcap NAME`, a function `endcap NAME` itself."""
    app = typer.Typer(
        name="endcap",
        help="Retail recommendations: import data, train, index and serve.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    entries = {entry.name: entry for entry in entry_points(group=COMMANDS_GROUP)}
    for name in sorted({*entries, *BROUGHT_BY}):
        if name in entries:
            _add_command(app, entries[name])
        else:
            _add_missing(app, name, "its package is missing")
    return app


def _add_command(app: typer.Typer, entry: EntryPoint) -> None:
    try:
        command = entry.load()
    except ModuleNotFoundError as error:
        _add_missing(app, entry.name, str(error))
        return
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=entry.name)
    else:
        app.command(name=entry.name)(command)


def _add_missing(app: typer.Typer, name: str, cause: str) -> None:
    def missing() -> None:
        fix = f'pip install "{BROUGHT_BY.get(name, "endcap[all]")}"'
        raise DependencyUnavailable(f"this part is not installed here ({cause})", field=name, fix=fix)

    any_arguments = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command(name=name, help="(not installed here)", context_settings=any_arguments)(missing)


def main() -> None:
    """Run the command; every known failure is one message and an exit code that says its kind."""
    try:
        settings = load_settings()
        configure_logging(settings.log_level, settings.log_format)
        build_app()()
    except EndcapError as error:
        report_failure(error)
        sys.exit(error.exit_code)
