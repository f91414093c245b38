"""Events of one request: judged one by one, on disk together, the refused among them as dead letters."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from endcap.contracts.dead_letter import DeadLetterKind
from endcap.core.clock import Clock
from endcap.core.errors import DependencyUnavailable
from endcap.events.acceptance.acceptance import Acceptance, Accepted, Refused, Sender
from endcap.events.dead_letters.letters import SentText, dead_letter
from endcap.events.dead_letters.sealing import Seal
from endcap.events.log.durable import DurableLog
from endcap_collector.metrics import CollectorMetrics
from endcap_collector.recent_ids import RecentIds, Seen


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a request's events.

    Attributes:
        accepted: how many are stored now.
        duplicates: how many were stored before.
        refused: place in the request, from 0, and why.
    """

    accepted: int
    duplicates: int
    refused: Sequence[tuple[int, Refused]]


@dataclass(frozen=True, slots=True)
class _Judged:
    new: list[Accepted]
    again: list[UUID]
    refused: list[tuple[int, Refused]]


class Intake:
    """Takes events in.

    Args:
        acceptance: judges them.
        events: where the good ones go.
        letters: where the others go.
        seal: of dead letters.
        recent: ids of the newest events.
        metrics: where all is counted.
        clock: the present, UTC.
    """

    def __init__(
        self,
        *,
        acceptance: Acceptance,
        events: DurableLog,
        letters: DurableLog,
        seal: Seal,
        recent: RecentIds,
        metrics: CollectorMetrics,
        clock: Clock,
    ) -> None:
        self._acceptance = acceptance
        self._events, self._letters = events, letters
        self._seal = seal
        self._recent = recent
        self._metrics = metrics
        self._clock = clock

    async def take(self, texts: Sequence[str], sender: Sender, address: str | None) -> Taken:
        """Take the events of one request; when this returns, each is on disk, as an event or as a dead letter.

        Args:
            texts: an event each.
            sender: whose key they came with.
            address: the sender's, for dead letters.

        Raises:
            DependencyUnavailable: the disk refused; nothing is promised, and all may be sent again.
        """
        judged = self._judge(texts, sender)
        letters = [(refused, SentText(texts[index], address, index)) for index, refused in judged.refused]
        if letters:
            await asyncio.gather(self._store(judged), self._bury(letters, sender))
        else:
            await self._store(judged)
        self._metrics.duplicates.inc(len(judged.again))
        for event in judged.new:
            self._metrics.count_accepted(event)
        return Taken(len(judged.new), len(judged.again), judged.refused)

    async def bury(self, kind: DeadLetterKind, reason: str, sent: SentText, sender: Sender) -> None:
        """Keep a whole request that cannot be taken apart.

        Raises:
            DependencyUnavailable: the disk refused.
        """
        await self._bury([(Refused(kind, None, reason), sent)], sender)

    def _judge(self, texts: Sequence[str], sender: Sender) -> _Judged:
        now = self._clock()
        judged = _Judged([], [], [])
        for index, text in enumerate(texts):
            verdict = self._acceptance.judge(text, sender, now)
            if isinstance(verdict, Accepted):
                match self._recent.see(verdict.event_id, verdict.content.encode()):
                    case Seen.NEW:
                        judged.new.append(verdict)
                    case Seen.AGAIN:
                        judged.again.append(verdict.event_id)
                    case Seen.OTHER_CONTENT:
                        reason = "an event with this id came before and said something else; give each its own id"
                        other = Refused(DeadLetterKind.FIELD_REFUSED, "event_id", reason, verdict.event_id, verdict.event_type)
                        judged.refused.append((index, other))
            else:
                judged.refused.append((index, verdict))
        return judged

    async def _store(self, judged: _Judged) -> None:
        """Write the new events; one that came before may still be on its way, and is waited for."""
        if not judged.new and not judged.again:
            return
        try:
            await self._events.write("".join(event.line for event in judged.new).encode())
        except BaseException:
            self._recent.forget(event.event_id for event in judged.new)
            raise
        if any(event_id not in self._recent for event_id in judged.again):
            raise DependencyUnavailable("an event that came before was not stored after all", fix="send it again")

    async def _bury(self, refused: Sequence[tuple[Refused, SentText]], sender: Sender) -> None:
        if not refused:
            return
        now = self._clock()
        letters = [dead_letter(why, sent, sender, now, self._seal) for why, sent in refused]
        await self._letters.write("".join(letter.model_dump_json(exclude_none=True) + "\n" for letter in letters).encode())
        for letter in letters:
            self._metrics.refused.labels(letter.kind.value).inc()
