"""The bound on what waits for Kafka."""

import threading


class Room:
    """Bytes that may wait, over all logs of a spool; for any thread.

    Attributes:
        most: the bound, in bytes.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._changing = threading.Lock()
        self._taken = 0
        self._refused = 0

    @property
    def is_full(self) -> bool:
        """Whether the newest that found no room still would find none."""
        return self._refused > 0 and self._taken + self._refused > self.most

    def take(self, count: int) -> bool:
        """Take room for so many bytes; whether there was any."""
        with self._changing:
            if self._taken + count > self.most:
                self._refused = count
                return False
            self._taken += count
            self._refused = 0
            return True

    def take_beyond(self, count: int) -> None:
        """Take room for so many bytes, whether there is any or not."""
        with self._changing:
            self._taken += count

    def give_back(self, count: int) -> None:
        """Bytes that do not wait any more."""
        with self._changing:
            self._taken = max(0, self._taken - count)
