"""How events are sent: sizes, times, and what may wait."""

from dataclasses import dataclass, fields

from endcap_client.errors import InvalidSetting


@dataclass(frozen=True, slots=True)
class SendingOptions:
    """Options of both clients.

    Attributes:
        batch_events: most events of a request.
        batch_bytes: longest body, before it is packed.
        linger_s: how long an event may wait for others to go with.
        timeout_s: how long the collector may take to answer.
        queue_events: most events that wait; beyond that the oldest are dropped.
        queue_bytes: most bytes that wait.
        retry_s: longest pause after the first failure; each further one doubles it.
        retry_most_s: longest pause of all.
        close_s: how long closing tries to send what waits.

    Raises:
        InvalidSetting: a value is not above zero.
    """

    batch_events: int = 1_000
    batch_bytes: int = 1_048_576
    linger_s: float = 1.0
    timeout_s: float = 10.0
    queue_events: int = 100_000
    queue_bytes: int = 67_108_864
    retry_s: float = 1.0
    retry_most_s: float = 60.0
    close_s: float = 10.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value <= 0:
                raise InvalidSetting("is not above zero", field=field.name, value=value, fix=f"leave it out for {field.default}")


DEFAULT_OPTIONS = SendingOptions()
