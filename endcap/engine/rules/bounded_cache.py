"""A small cache that forgets what was used least recently."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class BoundedCache(Generic[Key, Value]):
    """At most `entries_max` values by key."""

    def __init__(self, entries_max: int) -> None:
        self._entries_max = entries_max
        self._entries: OrderedDict[Key, Value] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def kept(self) -> list[Key]:
        """The keys of all entries; safe while another thread adds to them."""
        return list(self._entries)

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """The value under `key`, made when it is not there."""
        value = self._entries.get(key)
        if value is None:
            value = self._entries[key] = make()
            if len(self._entries) > self._entries_max:
                self._entries.popitem(last=False)
        else:
            self._entries.move_to_end(key)
        return value
