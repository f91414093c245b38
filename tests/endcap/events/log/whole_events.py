"""A batch of events that are whole already, such as the ones a shop sends."""

from collections.abc import Sequence
from dataclasses import dataclass

from endcap.contracts.event import Event


@dataclass(frozen=True, slots=True)
class WholeEvents:
    events: Sequence[Event]

    def __len__(self) -> int:
        return len(self.events)

    def json_lines(self) -> str:
        return "".join(event.model_dump_json(exclude_none=True) + "\n" for event in self.events)

    def persons(self) -> Sequence[str]:
        return [event.user_id or event.session_id for event in self.events]
