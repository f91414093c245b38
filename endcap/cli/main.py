"""The `endcap` command. Each installed part adds its own subcommands through the entry point group `endcap.commands`."""

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points

import typer

from endcap.cli.output import report_failure
from endcap.core.errors import DependencyUnavailable, EndcapError
from endcap.core.log import configure_logging
from endcap.core.settings import load_settings

COMMANDS_GROUP = "endcap.commands"


def build_app() -> typer.Typer:
    """Assemble the command from the installed parts; a group's app becomes `endcap NAME`, a function `endcap NAME` itself."""
    app = typer.Typer(
        name="endcap",
        help="Retail recommendations: import data, train, index and serve.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    for entry in sorted(entry_points(group=COMMANDS_GROUP), key=lambda entry: entry.name):
        _add_command(app, entry)
    return app


def _add_command(app: typer.Typer, entry: EntryPoint) -> None:
    try:
        command = entry.load()
    except ModuleNotFoundError as error:
        command = _missing_part(entry.name, str(error))
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=entry.name)
    else:
        app.command(name=entry.name)(command)


def _missing_part(name: str, cause: str) -> Callable[[], None]:
    def missing() -> None:
        raise DependencyUnavailable(
            f"this part is not installed here ({cause})", field=name, fix='install all parts: pip install "endcap[all]"'
        )

    missing.__doc__ = "(not installed here)"
    return missing


def main() -> None:
    """Run the command; every known failure is one message and an exit code that says its kind."""
    try:
        settings = load_settings()
        configure_logging(settings.log_level, settings.log_format)
        build_app()()
    except EndcapError as error:
        report_failure(error)
        sys.exit(error.exit_code)
