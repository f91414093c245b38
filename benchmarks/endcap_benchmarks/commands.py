"""`endcap benchmark`: what endcap is worth, measured."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from endcap.cli.output import JsonOption
from endcap.core.settings import load_settings

if TYPE_CHECKING:
    from endcap_benchmarks.quality.benchmark import QualityOptions

app = typer.Typer(help="Measure what recommendations are worth.", no_args_is_help=True)


@app.callback()
def benchmark() -> None:
    """Measure what recommendations are worth."""


@app.command("quality")
def quality(  # noqa: PLR0917
    data: Annotated[Path | None, typer.Option("--data", help="Canonical dataset; $ENDCAP_HOME/data unless given.", file_okay=False)] = None,
    protocol: Annotated[
        Literal["temporal", "leave-one-out", "holdout", "session"], typer.Option(help="How the data is split.")
    ] = "temporal",
    k: Annotated[int, typer.Option("--k", min=1, max=100, help="Places of a list that are judged.")] = 10,
    models: Annotated[str, typer.Option(help="Names with commas between; MODULE:CLASS is one of your own. All unless given.")] = "",
    cut: Annotated[
        list[datetime] | None, typer.Option(formats=["%Y-%m-%d"], help="Start of a window, UTC; may stand several times.")
    ] = None,
    windows: Annotated[int, typer.Option(min=1, help="Windows at the data's end, where no --cut is given.")] = 3,
    weeks: Annotated[int, typer.Option(min=1, help="Length of a window.")] = 4,
    min_buyers: Annotated[int, typer.Option(min=1, help="Items with fewer buyers before the cut are left out.")] = 5,
    part: Annotated[Literal["test", "validation"], typer.Option(help="What is judged, except by temporal.")] = "test",
    signals: Annotated[
        str, typer.Option(help="Holdout and session: some of purchases, carts, views with commas between; all unless given.")
    ] = "",
    days: Annotated[int, typer.Option(min=1, help="Session: how many days at the data's end are judged.")] = 30,
    refit: Annotated[bool, typer.Option("--refit", help="Leave-one-out: learn from validation items too when the test is judged.")] = False,
    seeds: Annotated[str, typer.Option(help="A random model is run with each; numbers with commas between.")] = "1",
    work_dir: Annotated[
        Path | None, typer.Option(help="Lists are kept here, so that a run that was cut off goes on.", file_okay=False)
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Run models again whose lists are there already.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="JSON file; an HTML page of the same name comes beside it.", dir_okay=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare models on a dataset: accuracy, reach, variety and cost, each with its 95 % interval, against the best baseline.

    Example: endcap benchmark quality --data beauty --protocol leave-one-out --models popular,ease,two_tower --seeds 1,2,3
    """
    from endcap_benchmarks.quality.benchmark import QualityOptions

    settings = load_settings()
    options = QualityOptions(
        data=data or settings.data_dir,
        protocol=protocol,
        k=k,
        work_dir=work_dir or settings.home / "quality",
        models=[name.strip() for name in models.split(",") if name.strip()],
        seeds=_numbers(seeds),
        cuts=[moment.replace(tzinfo=UTC) for moment in cut or ()],
        windows=windows,
        weeks=weeks,
        min_buyers=min_buyers,
        part=part,
        signals=[name.strip() for name in signals.split(",") if name.strip()],
        days=days,
        refit=refit,
        fresh=fresh,
    )
    _measure(options, out or options.work_dir / f"quality-{protocol}.json", as_json)


def _measure(options: "QualityOptions", file: Path, as_json: bool) -> None:
    """Measure, print, and write the JSON file with its page beside it.

    Raises:
        typer.Exit: some model failed.
    """
    from rich.console import Console

    from endcap_benchmarks.quality.benchmark import measure_quality
    from endcap_benchmarks.quality.console_table import WIDTH, console_table
    from endcap_benchmarks.quality.html_report import write_html

    words = Console(stderr=True, highlight=False)
    report = measure_quality(options, lambda text: words.print(text, style="dim"))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(report.as_json(), encoding="utf-8")
    write_html(file.with_suffix(".html"), report)
    if as_json:
        typer.echo(report.as_json(), nl=False)
    else:
        Console(width=WIDTH).print(console_table(report))
        words.print(f"{file} and {file.with_suffix('.html')}", style="dim")
    if report.failures:
        raise typer.Exit(1)


def _numbers(text: str) -> list[int]:
    from endcap.core.errors import InvalidInput

    try:
        return [int(each) for each in text.split(",")]
    except ValueError as error:
        raise InvalidInput("not whole numbers with commas between", field="--seeds", value=text, fix="for example --seeds 1,2,3") from error
