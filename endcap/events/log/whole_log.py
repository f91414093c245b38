"""Whether a folder has the whole event log, where events go to Kafka."""

from pathlib import Path

from endcap.core.errors import InvalidInput
from endcap.core.settings import Settings

OFFSETS_FILE = "kafka_offsets.json"
"""Beside the files of a copy: which message of each partition comes next."""

_BOOTSTRAP = "ENDCAP_EVENTS__KAFKA_BOOTSTRAP"


def require_whole_log(settings: Settings, folder: Path) -> None:
    """Refuse to read a folder that has a part of the events only.

    Args:
        settings: all settings.
        folder: of log files.

    Raises:
        InvalidInput: events go to Kafka, and the folder is no copy of its topics.
    """
    if settings.events.kafka_bootstrap and not (folder / OFFSETS_FILE).is_file():
        fix = "copy them first, on a home folder without a collector: endcap evidence --from-kafka"
        raise InvalidInput(f"events are in Kafka, and {folder} has no copy of them", field=_BOOTSTRAP, fix=fix)


def require_no_collector(settings: Settings) -> None:
    """Refuse to copy into a folder from which a collector would send all of it to Kafka again.

    Raises:
        InvalidInput: a collector sends from this home to Kafka.
    """
    if settings.spool_dir.is_dir():
        fix = "copy on another home folder: it would send the copies to Kafka again"
        raise InvalidInput("a collector sends from this home folder to Kafka", field="ENDCAP_HOME", value=str(settings.home), fix=fix)


def require_way_to_kafka(settings: Settings) -> None:
    """Refuse to write events into a folder from which nobody sends them to Kafka, where they belong.

    Raises:
        InvalidInput: events go to Kafka, and no collector sends from this home.
    """
    if settings.events.kafka_bootstrap and not settings.spool_dir.is_dir():
        fix = "run it on a collector's home folder, from which it sends what is stored"
        raise InvalidInput("events go to Kafka, and no collector sends from this home folder", field=_BOOTSTRAP, fix=fix)
