"""An event log whose writer goes on only when its events are safe, for what can wait and must not be lost."""

from collections.abc import Sequence
from typing import Protocol

from endcap.core.clock import Clock
from endcap.core.person_ids import load_person_ids
from endcap.core.settings import Settings
from endcap.events.log.batches import Batch
from endcap.events.log.kept_ids import require_kept_log
from endcap.events.log.writer import LogFile, Rotation, disk_refusal


class ConfirmedLog(Protocol):
    """Where events go; for one thread."""

    def write(self, batches: Sequence[Batch]) -> None:
        """Write batches; all of them are on the disk, or with Kafka, when this returns.

        Raises:
            DependencyUnavailable: they are not, or not all; written again, those that are come twice.
        """


def open_confirmed_log(settings: Settings, clock: Clock) -> ConfirmedLog:
    """The log of what was shown that the settings choose.

    Args:
        settings: all settings.
        clock: names local files.

    Raises:
        InvalidInput: the settings of Kafka or of the schema registry cannot be used.
        DataRejected: ids in the local log are kept in another way than the settings say.
    """
    if settings.events.kafka_bootstrap:
        from endcap.events.log.confirmed_kafka import ConfirmedKafkaLog

        return ConfirmedKafkaLog(settings)
    require_kept_log(settings.event_log_dir, load_person_ids(settings))
    return _LocalLog(settings, clock)


class _LocalLog:
    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._folder = settings.event_log_dir
        self._file = LogFile(self._folder, clock, Rotation())

    def write(self, batches: Sequence[Batch]) -> None:
        try:
            self._file.append_synced("".join(batch.json_lines() for batch in batches).encode())
        except OSError as error:
            raise disk_refusal(self._folder, error) from error
