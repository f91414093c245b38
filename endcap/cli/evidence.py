"""`endcap evidence`: what the event log says about each item's clicks."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from endcap.cli.output import JsonOption, print_json, print_table
from endcap.errors import InvalidInput
from endcap.settings import load_settings


def evidence(
    as_of: Annotated[str | None, typer.Option(help="UTC instant to count up to, ISO 8601; now when left out.", show_default=False)] = None,
    as_json: JsonOption = False,
) -> None:
    """Count the event log's impressions and clicks into the evidence that exploration reads.

    Example: endcap evidence
    """
    from endcap.event_log.reader import read_events
    from endcap.exploration.counting import count_evidence, write_evidence

    settings = load_settings()
    moment = datetime.now(UTC) if as_of is None else _moment(as_of)
    counted = count_evidence(read_events(settings.event_log_dir), moment, settings.exploration.half_life_days)
    target = settings.live_dir / "click_evidence.parquet"
    write_evidence(counted, target)
    known = int((counted["impressions"] >= settings.exploration.evidence_impressions).sum())
    summary = {
        "items": len(counted),
        "items_with_evidence": known,
        "impressions": round(float(counted["impressions"].sum()), 1),
        "clicks": round(float(counted["clicks"].sum()), 1),
        "as_of": moment.isoformat().replace("+00:00", "Z"),
        "file": str(target),
    }
    if as_json:
        print_json(summary)
    else:
        print_table("Click evidence", [summary])


def _moment(text: str) -> datetime:
    from endcap.contracts.moment import require_utc

    try:
        return require_utc(datetime.fromisoformat(text))
    except ValueError as error:
        raise InvalidInput(str(error), field="--as-of", value=text, fix="for example 2026-11-27T08:00:00Z") from error
