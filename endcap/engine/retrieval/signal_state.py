"""What a user looked at, put into the cart and rated, as of one moment; what the present visit did comes on top."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap.contracts.event import EventType
from endcap.contracts.moment import DAY_S
from endcap.contracts.recent_kind import RecentKind
from endcap.engine.retrieval.recent import RecentTouches
from endcap.engine.retrieval.sorted_places import places_in
from endcap.features.columns import NEVER_DAYS

_IS_TOUCH = np.zeros(max(RecentKind) + 1, dtype=bool)
_IS_TOUCH[[RecentKind.PRODUCT_VIEW, RecentKind.ADD_TO_CART, RecentKind.RATING, RecentKind.RATED_LOW]] = True
"""By code, what makes an item known beside a purchase."""
CART_CHANGES = (EventType.ADD_TO_CART, EventType.REMOVE_FROM_CART, EventType.PURCHASE)


@dataclass(frozen=True)
class SignalState:
    """One user at one moment; s items.

    Attributes:
        index: int32 [s], item indices, ascending and distinct.
        views, carts: float32 [s], how often each was viewed, and put into the cart.
        days_since_viewed: float32 [s], NEVER_DAYS for those never viewed.
        cart_age_days: float32 [s], since it was last put into the cart; NaN where it has been bought or taken out since, or was never in.
        rated_low: bool [s], whether the user's last rating counts against the item.
    """

    index: NDArray[np.int32]
    views: NDArray[np.float32]
    carts: NDArray[np.float32]
    days_since_viewed: NDArray[np.float32]
    cart_age_days: NDArray[np.float32]
    rated_low: NDArray[np.bool_]

    @classmethod
    def empty(cls, index: NDArray[np.int32]) -> "SignalState":
        """Items of which nothing is known."""
        nothing, never = np.zeros(len(index), dtype=np.float32), np.full(len(index), NEVER_DAYS, dtype=np.float32)
        return cls(index, nothing, nothing.copy(), never, np.full(len(index), np.nan, dtype=np.float32), np.zeros(len(index), dtype=bool))

    @classmethod
    def of_row(cls, row: Mapping[str, Any], index: NDArray[np.int32], now_s: float) -> "SignalState":
        """From the lists of PAIR_SIGNALS.

        Args:
            row: the user's features; lists that are missing are empty.
            index: int32, the item indices of `signal_item_ids`, 0 for unknown items.
            now_s: the moment of the state, UTC epoch seconds.
        """
        order = np.argsort(index, kind="stable")
        order = order[index[order] > 0]
        if not len(order):
            return NO_SIGNALS

        def column(name: str) -> NDArray[np.float64]:
            return np.asarray(row[name], dtype=np.float64)[order]

        def age_days(name: str, never: float) -> NDArray[np.float32]:
            at = column(name)
            return np.where(at > 0, (now_s - at) / DAY_S, never).astype(np.float32)

        return cls(
            index=index[order],
            views=column("signal_views").astype(np.float32),
            carts=column("signal_carts").astype(np.float32),
            days_since_viewed=age_days("signal_last_viewed_at", NEVER_DAYS),
            cart_age_days=age_days("signal_in_cart_at", np.nan),
            rated_low=column("signal_rated_low") > 0,
        )

    @property
    def in_cart(self) -> NDArray[np.bool_]:
        """bool [s]: carted, and neither bought nor taken out since."""
        return ~np.isnan(self.cart_age_days)

    def places(self, index: NDArray[np.int32]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Where int32 [m] items stand in `index`, intp [m], and bool [m] whether they do: other places mean nothing."""
        return places_in(self.index, index)

    def are_rated_low(self, index: NDArray[np.int32]) -> NDArray[np.bool_]:
        """bool [m]: which of int32 [m] items the user's last rating counts against."""
        if not self.rated_low.any():
            return np.zeros(len(index), dtype=bool)
        return np.isin(index, self.index[self.rated_low])

    def with_recent(self, recent: RecentTouches) -> "SignalState":
        """What was done since the batch features and before the present visit, by the rules of the batch."""
        index, kind, age_days = recent.index[recent.is_new], recent.kind[recent.is_new], recent.age_days[recent.is_new]
        items = np.union1d(self.index, index[_IS_TOUCH[kind]])
        place, there = places_in(items, index)
        if not there.any():
            return self
        whole, size = self._on(items), len(items)
        kind, place = kind[there], place[there]
        counts = np.bincount(kind * size + place, minlength=len(_IS_TOUCH) * size).reshape(-1, size).astype(np.float32)
        whole.views[:] += counts[RecentKind.PRODUCT_VIEW]
        whole.carts[:] += counts[RecentKind.ADD_TO_CART]
        # Days since the last event of a kind; infinity where there is none.
        days = np.full((len(_IS_TOUCH), size), np.inf, dtype=np.float32)
        np.minimum.at(days, (kind, place), age_days[there].astype(np.float32))
        carted, low, liked = days[RecentKind.ADD_TO_CART], days[RecentKind.RATED_LOW], days[RecentKind.RATING]
        out = np.minimum(days[RecentKind.REMOVE_FROM_CART], days[RecentKind.PURCHASE])
        np.minimum(whole.days_since_viewed, days[RecentKind.PRODUCT_VIEW], out=whole.days_since_viewed)
        changed = np.isfinite(np.minimum(carted, out))
        whole.cart_age_days[changed] = np.where(carted < out, carted, np.float32(np.nan))[changed]
        rated = np.isfinite(np.minimum(low, liked))
        whole.rated_low[rated] = (low <= liked)[rated]
        return whole

    def with_visit(self, index: NDArray[np.int32], kinds: Sequence[str], age_days: NDArray[np.float32]) -> "SignalState":
        """What the present visit adds: it overrides what was known of the cart.

        Args:
            index: int32 [e], the items of the visit's events, oldest first; 0 for unknown items.
            kinds: event types, [e].
            age_days: float32 [e].
        """
        kind = np.asarray(kinds, dtype=object)
        told = np.flatnonzero((index > 0) & np.isin(kind, (EventType.PRODUCT_VIEW, *CART_CHANGES)))
        if not len(told):
            return self
        index, kind, age_days = index[told], kind[told], age_days[told]
        whole = self._on(np.union1d(self.index, index))
        place = np.searchsorted(whole.index, index)
        viewed, carted = kind == EventType.PRODUCT_VIEW, kind == EventType.ADD_TO_CART
        np.add.at(whole.views, place[viewed], np.float32(1))
        np.minimum.at(whole.days_since_viewed, place[viewed], age_days[viewed])
        np.add.at(whole.carts, place[carted], np.float32(1))
        last = np.full(len(whole.index), -1)
        np.maximum.at(last, place[~viewed], np.flatnonzero(~viewed))
        changed = np.flatnonzero(last >= 0)
        whole.cart_age_days[changed] = np.where(carted[last[changed]], age_days[last[changed]], np.float32(np.nan))
        return whole

    def _on(self, index: NDArray[np.int32]) -> "SignalState":
        """The same on more items, in arrays of its own."""
        whole = SignalState.empty(index.astype(np.int32))
        place = np.searchsorted(index, self.index)
        for name in ("views", "carts", "days_since_viewed", "cart_age_days", "rated_low"):
            getattr(whole, name)[place] = getattr(self, name)
        return whole


NO_SIGNALS = SignalState.empty(np.zeros(0, dtype=np.int32))
