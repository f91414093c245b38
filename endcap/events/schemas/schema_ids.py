"""The id of the schema that a process writes by: known from the start, kept current in the background."""

import threading
from contextlib import suppress

from endcap.core.errors import EndcapError
from endcap.core.log import get_logger
from endcap.events.schemas.known_ids import KnownIds
from endcap.events.schemas.registry import SchemaRegistry

RETRY_SECONDS = 10.0
"""Between two questions while no id is known."""

_END_SECONDS = 1.0


class SchemaId:
    """The id under which a registry has one schema of one subject. Reading it never waits.

    The registry's word holds: an id that it no longer has is used no more. While it does not answer, the last id that it gave goes on.

    Args:
        registry: is asked.
        known: ids of before.
        subject: whose schema.
        schema: JSON Schema as text, as it was registered.
        refresh_seconds: between two questions.
        retry_seconds: the same while no id is known.
    """

    def __init__(
        self,
        registry: SchemaRegistry,
        known: KnownIds,
        subject: str,
        schema: str,
        *,
        refresh_seconds: float,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._registry, self._known = registry, known
        self._subject, self._schema = subject, schema
        self._refresh_seconds, self._retry_seconds = refresh_seconds, min(retry_seconds, refresh_seconds)
        self._id: int | None = None
        self._is_of_before = False
        self._said = ""
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="schema-id", daemon=True)

    @property
    def value(self) -> int | None:
        """The id; None while none is known."""
        return self._id

    def start(self) -> None:
        """Take the id of before, or else ask once and wait for the answer; then go on in the background."""
        self._id = self._known.id_of(self._registry.url, self._subject, self._schema)
        self._is_of_before = self._id is not None
        if not self._is_of_before:
            self.refresh()
        self._thread.start()

    def refresh(self) -> None:
        """Ask the registry; whatever it says or does not say is logged where it is news."""
        try:
            registered = self._registry.found(self._subject, self._schema)
        except EndcapError as error:
            self._say("the schema registry could not be asked", str(error))
            return
        self._id = None if registered is None else registered.id
        if registered is None:
            self._say("the schema is not registered", "run `endcap schemas publish`")
        else:
            self._said = ""
        try:
            self._known.remember(self._registry.url, self._subject, self._schema, self._id)
        except OSError as error:
            self._say("the schema's id cannot be kept", f"the disk refused: {error.strerror}")

    def close(self) -> None:
        """Ask no more; the registry is closed too."""
        self._closing.set()
        with suppress(RuntimeError):  # never started
            self._thread.join(_END_SECONDS)
        self._registry.close()

    def _run(self) -> None:
        if self._is_of_before:
            self.refresh()
        while not self._closing.wait(self._refresh_seconds if self._id is not None else self._retry_seconds):
            self.refresh()

    def _say(self, event: str, reason: str) -> None:
        if reason != self._said:
            get_logger("schemas").warning(event, subject=self._subject, schema_id=self._id, reason=reason)
            self._said = reason
