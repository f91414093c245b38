"""Answers to anonymous requests, kept whole: bytes in, bytes out."""

import time
import uuid
from collections.abc import Callable, Coroutine, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from endcap.contracts.answer import Answer
from endcap.contracts.request import Instance
from endcap.core.settings import CacheSettings
from endcap_transformer.resilience.cached_lookup import CachedLookup
from endcap_transformer.telemetry.metrics import ServingMetrics

KEY_BYTES_MAX = 2048
"""Longer requests are not looked up: they hardly come twice, and each key is kept."""
ANSWER_BYTES_MAX = 16 * 1024
"""Longer answers are not kept."""
ITEMS_AN_ENTRY = 20
"""An answer with more items counts for several entries, so that the bound of the entries is one of memory: about 15 kB each."""

Key = tuple[bytes, Hashable]


@dataclass(frozen=True)
class SharedAnswers:
    """The answers to one request, which may be given to others that are the same.

    Attributes:
        instances: of the request.
        answers: as they were computed for the first of them.
    """

    instances: Sequence[Instance]
    answers: Sequence[Answer]

    @cached_property
    def pieces(self) -> list[bytes]:
        """The V1 body cut at each answer's request id and timings, in turn: one more piece than there are cuts."""
        mark = uuid.uuid4().hex
        cut = b'"%s"' % mark.encode()
        marked = [answer.model_copy(update={"request_id": mark, "timings_ms": {mark: 0.0}}) for answer in self.answers]
        return v1_body(marked).replace(b"{%s:0.0}" % cut, cut).split(cut)

    @property
    def is_complete(self) -> bool:
        """Whether every stage took part, and it is small enough to keep."""
        return not any(answer.degraded for answer in self.answers) and sum(map(len, self.pieces)) <= ANSWER_BYTES_MAX

    def weight(self) -> int:
        """How many cache entries it counts for."""
        return 1 + sum(len(answer.recommendations) for answer in self.answers) // (ITEMS_AN_ENTRY + 1)

    def body(self, request_id: str, took_ms: float) -> bytes:
        """The V1 body for one more request: its own id, and the time it took."""
        pieces = iter(self.pieces)
        parts = [next(pieces)]
        timings = b'{"cache":%.3f,"total":%.3f}' % (took_ms, took_ms)
        for own_id in request_ids(request_id, len(self.answers)):
            parts += (orjson.dumps(own_id), next(pieces), timings, next(pieces))
        return b"".join(parts)

    def given_to(self, request_id: str, took_ms: float) -> list[Answer]:
        """The answers for one more request, as objects."""
        timings = {"cache": round(took_ms, 3), "total": round(took_ms, 3)}
        ids = request_ids(request_id, len(self.answers))
        return [
            answer.model_copy(update={"request_id": own_id, "timings_ms": timings})
            for answer, own_id in zip(self.answers, ids, strict=True)
        ]


def v1_body(answers: Sequence[Answer]) -> bytes:
    """`{"predictions": [answer, ...]}`; explanations only where the request wants them."""
    return b'{"predictions":[%s]}' % b",".join(map(answer_json, answers))


def answer_json(answer: Answer) -> bytes:
    """One answer as V1 and V2 give it."""
    return answer.__pydantic_serializer__.to_json(answer, exclude_none=True)


def request_ids(request_id: str, lists: int) -> list[str]:
    """An id for each list of a request."""
    return [request_id] if lists == 1 else [f"{request_id}-{number}" for number in range(1, lists + 1)]


def are_anonymous(instances: Sequence[Instance]) -> bool:
    """Whether the requests name neither a user nor a session, so that their answers depend on no person."""
    return all(instance.user_id is None and instance.session_id is None for instance in instances)


def _nothing(_shared: SharedAnswers, _request_id: str) -> None:
    return


class AnswerCache:
    """Whole answers by the bytes of their request.

    The order of such a list depends on no person's events, so age is all that is watched beside the fingerprint. What exploration put
    into it stays for that time.

    Args:
        settings: how many, and for how long.
        metrics: where hits and misses are counted.
        fingerprint: of all that answers depend on beside the request: bundle, rules, item table. Another one makes other keys.
        on_hit: called each time answers are given to one more request, with its id: these are impressions too.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        settings: CacheSettings,
        metrics: ServingMetrics,
        fingerprint: Callable[[], Hashable],
        on_hit: Callable[[SharedAnswers, str], None] = _nothing,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fingerprint = fingerprint
        self._on_hit = on_hit
        self._lookup: CachedLookup[Key, SharedAnswers] = CachedLookup(
            settings.answer_entries,
            settings.answer_seconds,
            metrics.cache("answers"),
            clock,
            keeps=lambda shared: shared.is_complete,
            weigh=SharedAnswers.weight,
        )

    def key(self, request: bytes) -> Key | None:
        """The key of a request's bytes; None for those that are not looked up."""
        return (request, self._fingerprint()) if len(request) <= KEY_BYTES_MAX else None

    def fresh(self, key: Key | None, request_id: str) -> SharedAnswers | None:
        """Kept answers, if there are any; they count as given to `request_id`."""
        shared = self._lookup.peek(key, None) if key else None
        if shared is not None:
            self._on_hit(shared, request_id)
        return shared

    def is_computing(self, key: Key | None) -> bool:
        """Whether another request with this key is in work, so that `shared` would wait for it."""
        return key is not None and self._lookup.is_computing(key)

    async def shared(
        self, key: Key, request_id: str, compute: Callable[[], Coroutine[Any, Any, SharedAnswers]]
    ) -> tuple[SharedAnswers, bool]:
        """Answers that `fresh` did not find, computed once for all requests at the same time, and whether another request computed them.

        Answers with a stage that fell back go to those who wait, and are not kept.
        """
        own = False

        async def computed() -> SharedAnswers:
            nonlocal own
            own = True
            return await compute()

        shared = await self._lookup.compute(key, computed)
        if not own:
            self._on_hit(shared, request_id)
        return shared, not own
