"""Which rules hold for a request: `when` looked up rather than worked out."""

from collections.abc import Sequence
from datetime import datetime

from endcap.engine.rules.bounded_cache import BoundedCache
from endcap.engine.rules.context import RuleContext
from endcap.engine.rules.file.when import TimeWindow, When

SECONDS_KEPT = 64

Key = tuple[str | None, tuple[str, ...], str | None, str | None, str | None, tuple[bool, ...]]
"""What of a request matters to any `when`: surface, segments, device, region, variant and which time windows are open."""


class Schedule:
    """The `when` of every entry of a rule file."""

    def __init__(self, whens: Sequence[When]) -> None:
        self._whens = tuple(whens)
        windows = [when.time.window() if when.time is not None else None for when in whens]
        self._windows: tuple[TimeWindow, ...] = tuple(dict.fromkeys(window for window in windows if window is not None))
        self._window_of = tuple(self._windows.index(window) if window is not None else None for window in windows)
        self._surfaces, self._devices, self._regions, self._variants, self._segments = (
            frozenset(name for when in whens for name in getattr(when, part) or ())
            for part in ("surface", "device", "region", "variant", "segment")
        )
        self._open: BoundedCache[datetime, tuple[bool, ...]] = BoundedCache(SECONDS_KEPT)

    def key(self, context: RuleContext) -> Key:
        """Two requests with the same key have the same rules; names that no rule mentions count as none."""
        return (
            context.surface if context.surface in self._surfaces else None,
            tuple(name for name in context.segments if name in self._segments) if self._segments else (),
            context.device if context.device in self._devices else None,
            context.region if context.region in self._regions else None,
            context.variant if context.variant in self._variants else None,
            self._open_windows(context.now) if self._windows else (),
        )

    def holding(self, key: Key) -> tuple[int, ...]:
        """Numbers of the entries that hold, ascending."""
        return tuple(number for number in range(len(self._whens)) if self._holds(number, key))

    def _open_windows(self, now: datetime) -> tuple[bool, ...]:
        """By window; worked out once a second, which is as fine as windows are."""
        second = now.replace(microsecond=0)
        return self._open.get(second, lambda: tuple(window.holds(second) for window in self._windows))

    def _holds(self, number: int, key: Key) -> bool:
        when, window = self._whens[number], self._window_of[number]
        surface, segments, device, region, variant, is_open = key
        return (
            (when.surface is None or surface in when.surface)
            and (when.segment is None or any(name in when.segment for name in segments))
            and (when.device is None or device in when.device)
            and (when.region is None or region in when.region)
            and (when.variant is None or variant in when.variant)
            and (window is None or is_open[window])
        )
