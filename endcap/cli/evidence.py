"""`endcap evidence`: what the event log says about each item's clicks."""

import time
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from endcap.cli.output import JsonOption, print_json, print_table
from endcap.contracts.moment import require_utc, utc_text
from endcap.core.errors import InvalidInput
from endcap.core.settings import Settings, load_settings


def evidence(
    as_of: Annotated[str | None, typer.Option(help="UTC instant to count up to, ISO 8601; now when left out.", show_default=False)] = None,
    from_kafka: Annotated[bool, typer.Option("--from-kafka", help="First copy what is new in Kafka's topics into the event log.")] = False,
    copy_seconds: Annotated[float, typer.Option(min=1, help="Longest time to copy; the rest is left to the next run.")] = 300,
    keep_days: Annotated[
        float | None,
        typer.Option(min=1, help="Then remove files of the event log that are older; all stay when left out.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Count the event log's impressions and clicks into the evidence that exploration reads.

    Example: endcap evidence --from-kafka --keep-days 70
    """
    from endcap.engine.exploration.counting import EvidenceRule, count_evidence, write_evidence
    from endcap.engine.exploration.evidence import EVIDENCE_FILE
    from endcap.events.log.reader import read_events, remove_files_before
    from endcap.events.log.whole_log import require_whole_log
    from endcap.events.outcomes.day_tables import read_outcomes
    from endcap.events.outcomes.examination import measured_examination
    from endcap.events.outcomes.windows import Windows

    settings = load_settings()
    moment = datetime.now(UTC) if as_of is None else _moment(as_of)
    copied = _copied(settings, copy_seconds) if from_kafka else {}
    require_whole_log(settings, settings.event_log_dir)
    if keep_days is not None:
        remove_files_before(settings.event_log_dir, datetime.now(UTC) - timedelta(days=keep_days))
    examination = measured_examination(read_outcomes(settings.outcomes_dir))
    rule = EvidenceRule(settings.exploration.half_life_days, examination, Windows.of(settings.outcomes).click)
    counted = count_evidence(read_events(settings.event_log_dir), moment, rule)
    target = settings.live_dir / EVIDENCE_FILE
    write_evidence(counted, target)
    known = int((counted["impressions"] >= settings.exploration.evidence_impressions).sum())
    summary = {
        "items": len(counted),
        "items_with_evidence": known,
        "impressions": round(float(counted["impressions"].sum()), 1),
        "clicks": round(float(counted["clicks"].sum()), 1),
        "examination": examination.summary(),
        "as_of": utc_text(moment),
        "file": str(target),
        **copied,
    }
    if as_json:
        print_json(summary)
    else:
        print_table("Click evidence", [summary])


def _copied(settings: Settings, seconds: float) -> dict[str, int | str]:
    """What was copied of the topics of shown lists and of what followed, together."""
    from endcap.events.log.kafka_config import kafka_config
    from endcap.events.log.kafka_copy import Copied, NoSuchTopic, copy_events
    from endcap.events.log.topic_names import read_topics
    from endcap.events.log.whole_log import require_no_collector

    require_no_collector(settings)
    config, until = kafka_config(settings.events), time.monotonic() + seconds
    done: list[Copied] = []
    absent: list[str] = []
    # First the one that has to be there; events may come to it too.
    for topic in sorted(read_topics(settings), key=lambda each: each != config.topic):
        try:
            done.append(copy_events(replace(config, topic=topic), settings.event_log_dir, until - time.monotonic()))
        except NoSuchTopic:
            if topic == config.topic:
                raise
            absent.append(topic)
    summed = {f"kafka_{each.name}": sum(getattr(copied, each.name) for copied in done) for each in fields(Copied)}
    return summed if not absent else {**summed, "kafka_topics_that_are_not_there": ", ".join(absent)}


def _moment(text: str) -> datetime:
    try:
        return require_utc(datetime.fromisoformat(text))
    except ValueError as error:
        raise InvalidInput(str(error), field="--as-of", value=text, fix="for example 2026-11-27T08:00:00Z") from error
