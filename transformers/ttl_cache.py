"""A bounded cache whose entries are fresh for a while and may be read when they are stale."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
D = TypeVar("D")


class TtlCache(Generic[K, V]):
    """Least recently used entries go first; every operation takes the same time however many there are.

    An entry keeps its place after it has expired, for those who would rather have something old than nothing, until newer ones need it.

    Args:
        entries: the most it holds.
        fresh_s: how long an entry is fresh; 0 stores nothing.
        clock: seconds that never go back.
    """

    def __init__(self, entries: int, fresh_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._entries_max = entries
        self._fresh_s = fresh_s
        self._clock = clock
        self._entries: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K, default: D) -> V | D:
        """The fresh value of a key, else `default`."""
        return self.get_stale(key, self._fresh_s, default)

    def get_stale(self, key: K, max_age_s: float, default: D) -> V | D:
        """The value of a key that was put less than `max_age_s` ago, else `default`."""
        entry = self._entries.get(key)
        if entry is None or not 0 <= self._clock() - entry[0] < max_age_s:
            return default
        self._entries.move_to_end(key)
        return entry[1]

    def put(self, key: K, value: V) -> None:
        """Store a value as of now."""
        if not self._fresh_s:
            return
        self._entries[key] = (self._clock(), value)
        self._entries.move_to_end(key)
        if len(self._entries) > self._entries_max:
            self._entries.popitem(last=False)

    def clear(self) -> None:
        self._entries.clear()
