"""`endcap outcomes`: what was shown and what followed."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from endcap.cli.output import JsonOption, print_json, print_table
from endcap.core.errors import InvalidInput
from endcap.core.settings import Settings, load_settings
from endcap.evaluation.outcome_rates import Grouping

if TYPE_CHECKING:
    import polars as pl

_POSITIONS_SHOWN = 10


def outcomes(
    by: Annotated[Grouping | None, typer.Option(help="Rates of each; of all together when left out.", show_default=False)] = None,
    first_day: Annotated[
        str | None, typer.Option("--from", help="First day (UTC) of the lists; the first there is when left out.", show_default=False)
    ] = None,
    last_day: Annotated[str | None, typer.Option("--to", help="Last day.", show_default=False)] = None,
    from_log: Annotated[
        bool, typer.Option("--from-log", help="Join the whole event log anew and write its day tables, where no stream does.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Print click-through, add to cart, conversion and revenue of what was shown, and what explored places brought.

    Example: endcap outcomes --by source --from 2026-11-01
    """
    from endcap.evaluation.outcome_rates import LEVEL, exploration_against_replaced, impressions_of, rates_by
    from endcap.events.outcomes.day_tables import read_outcomes
    from endcap.events.outcomes.examination import measured_examination

    settings = load_settings()
    if from_log:
        _join_log(settings)
    rows = read_outcomes(settings.outcomes_dir, _day(first_day, "--from"), _day(last_day, "--to"))
    impressions = impressions_of(rows)
    rates, explored = rates_by(impressions, by), exploration_against_replaced(impressions)
    examination = measured_examination(rows)
    places = [_place(examination.of(position)) for position in range(1, _POSITIONS_SHOWN + 1)]
    if as_json:
        print_json(
            {
                "by": by.value if by else None,
                "interval": LEVEL,
                "rates": rates.to_dicts(),
                "explored_against_replaced": explored.to_dicts(),
                "examination": places,
            }
        )
        return
    if rates.is_empty():
        typer.echo("No outcomes yet: the stream writes them, or `endcap outcomes --from-log` joins the event log.")
        return
    print_table("Outcomes (95 % intervals)", _with_intervals(rates))
    if not explored.is_empty():
        print_table("Explored places against what they replaced", _with_intervals(explored))
    if by is Grouping.POSITION:
        print_table("How likely a place is looked at", places)


def _join_log(settings: Settings) -> None:
    from endcap.core.clock import system_clock
    from endcap.events.log.reader import read_events
    from endcap.events.log.whole_log import require_whole_log
    from endcap.events.outcomes.day_tables import write_journal
    from endcap.events.outcomes.whole_log import journal_of_log
    from endcap.events.outcomes.windows import Windows

    require_whole_log(settings, settings.event_log_dir)
    events = read_events(settings.event_log_dir).collect(engine="streaming")
    write_journal(settings.outcomes_dir, journal_of_log(events, Windows.of(settings.outcomes), system_clock()))


def _day(text: str | None, option: str) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(str(error), field=option, value=text, fix="for example 2026-11-27") from error


def _place(place: Any) -> dict[str, Any]:
    return {"position": place.position, "chance": place.chance, "low": place.low, "high": place.high, "source": place.source}


def _with_intervals(rows: "pl.DataFrame") -> list[dict[str, Any]]:
    """For people: a value and its interval in one cell."""
    made = []
    for row in rows.to_dicts():
        cells = {name: value for name, value in row.items() if not name.endswith(("_low", "_high"))}
        for name in [name for name in cells if f"{name}_low" in row]:
            low, high = row[f"{name}_low"], row[f"{name}_high"]
            cells[name] = _number(cells[name]) + (f" [{_number(low)}, {_number(high)}]" if low is not None else "")
        made.append(cells)
    return made


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
