"""When to try again what failed: less and less often, and at once when something about it changed."""

from collections.abc import Hashable


class BackOff:
    """Counts turns, not seconds: whoever asks has a rhythm of its own.

    Args:
        most: turns that pass at most between two tries.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._tried: Hashable = None
        self._in_a_row = 0
        self._to_pass = 0

    def is_due(self, tried: Hashable) -> bool:
        """Whether to try in this turn.

        Args:
            tried: what is tried; another value than the one that failed is due at once.
        """
        if not self._in_a_row or tried != self._tried:
            return True
        self._to_pass -= 1
        return self._to_pass < 0

    def failed(self, tried: Hashable) -> int:
        """Let more turns pass than before.

        Returns:
            How often the same failed in a row.
        """
        self._in_a_row = self._in_a_row + 1 if tried == self._tried else 1
        self._tried = tried
        self._to_pass = min(2**self._in_a_row - 1, self._most)
        return self._in_a_row

    def succeeded(self) -> None:
        """Begin anew."""
        self._in_a_row, self._tried = 0, None
