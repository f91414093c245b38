"""Which event log a process writes: Kafka where the settings name it, else files under the home folder."""

from collections.abc import Callable

from endcap.core.person_ids import load_person_ids
from endcap.core.settings import Settings
from endcap.events.log.kept_ids import require_kept_log
from endcap.events.log.losses import count_nothing
from endcap.events.log.queued import QueuedEventLog
from endcap.events.log.writer import EventLog


def open_event_log(
    settings: Settings, count_dropped: Callable[[int], None] = count_nothing, count_plain: Callable[[int], None] = count_nothing
) -> QueuedEventLog:
    """The log that the settings choose, with its thread started.

    Args:
        settings: all settings.
        count_dropped: called with the number of lost events, from any thread.
        count_plain: called with the number of events that Kafka got without a frame though a schema registry is set, from any thread.

    Raises:
        InvalidInput: the settings of Kafka or of the schema registry cannot be used.
        DataRejected: ids in the local log are kept in another way than the settings say.
    """
    if not settings.events.kafka_bootstrap:
        require_kept_log(settings.event_log_dir, load_person_ids(settings))
        return EventLog(settings.event_log_dir, count_dropped=count_dropped)
    from endcap.events.log.kafka import KafkaEventLog
    from endcap.events.log.kafka_config import kafka_config
    from endcap.events.schemas.value_format import open_value_format

    config = kafka_config(settings.events)
    return KafkaEventLog(config, values=open_value_format(settings, config.topic, count_plain), count_dropped=count_dropped)
