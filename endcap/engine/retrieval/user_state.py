"""What a request knows of its user, in item indices: the same for a training example of last year and a request of this second."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import accumulate, chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from endcap.catalogue.item_table import ItemTable
from endcap.catalogue.vocabulary import Vocabulary
from endcap.contracts.moment import DAY_S
from endcap.contracts.signals import VIEW_CODE, signal_code
from endcap.engine.retrieval.past import NO_PAST, RECENT_IDS, ROW_IDS, Past, batch_moment, listed
from endcap.engine.retrieval.recent import of_visit
from endcap.engine.retrieval.shares import Shares
from endcap.engine.retrieval.signal_state import NO_SIGNALS, SignalState
from endcap.engine.retrieval.sorted_places import places_in
from endcap.features.columns import HISTORY_LENGTH, USER_CATEGORICAL, USER_NUMERIC


@dataclass(frozen=True)
class UserState:
    """One user at one moment; p items of the past, h of them in the history.

    Attributes:
        numeric: float32 [len(USER_NUMERIC)].
        categories: int32 [len(USER_CATEGORICAL)].
        history: int32 [h], item indices, newest last, h <= HISTORY_LENGTH; session items stand at the end.
        history_age_days: float32 [h].
        history_signal: int32 [h], what happened to each, codes of `endcap.contracts.signals`.
        pair_index: int32 [p], items bought before, ascending; the columns below belong to it.
        times_bought, baskets_28d, baskets_90d, days_since_bought, gap_mean_days, decayed_20d, decayed_60d: float32 [p].
        leaf_share: share of the user's purchases by finest category code.
        brand_share: the same by brand code.
        session: int32 [s], items of the present visit, newest last, s <= HISTORY_LENGTH.
        is_known: whether the feature store had a row for the user.
        signals: what the user looked at, carted and rated, this visit included.
    """

    numeric: NDArray[np.float32]
    categories: NDArray[np.int32]
    history: NDArray[np.int32]
    history_age_days: NDArray[np.float32]
    history_signal: NDArray[np.int32]
    pair_index: NDArray[np.int32]
    times_bought: NDArray[np.float32]
    baskets_28d: NDArray[np.float32]
    baskets_90d: NDArray[np.float32]
    days_since_bought: NDArray[np.float32]
    gap_mean_days: NDArray[np.float32]
    decayed_20d: NDArray[np.float32]
    decayed_60d: NDArray[np.float32]
    leaf_share: Shares
    brand_share: Shares
    session: NDArray[np.int32]
    is_known: bool
    signals: SignalState = NO_SIGNALS

    def past_places(self, index: NDArray[np.int32]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Where int32 [m] items stand among the items of the past, intp [m], and bool [m] whether they do: other places mean nothing."""
        return places_in(self.pair_index, index)

    def bought_before(self, index: NDArray[np.int32]) -> NDArray[np.bool_]:
        """bool [m]: which of int32 [m] items the user bought before."""
        return self.past_places(index)[1]

    def without_newest(self, items: int) -> "UserState":
        """The same before the newest so many items of the history, and of the session as far as it goes."""
        kept = max(len(self.history) - items, 0)
        return replace(
            self,
            history=self.history[:kept],
            history_age_days=self.history_age_days[:kept],
            history_signal=self.history_signal[:kept],
            session=self.session[: max(len(self.session) - items, 0)],
        )

    def query_history(self) -> dict[str, NDArray[Any]]:
        """History as the query tower takes it, [HISTORY_LENGTH] by input of `encode_query`, zeros in front.

        Touches of an item with no other item between them are one, of the type nearest to a purchase, as in training.
        """
        index, age, signal = self.history, self.history_age_days, self.history_signal
        is_new = index[1:] != index[:-1]
        if not is_new.all():
            begins = np.flatnonzero(np.append(True, is_new))
            signal = np.minimum.reduceat(signal, begins)
            index, age = index[begins], age[np.append(begins[1:], len(index)) - 1]
        return {"history": _padded(index), "history_age_days": _padded(age), "history_signal": _padded(signal)}


def _padded(values: NDArray[Any]) -> NDArray[Any]:
    padded = np.zeros(HISTORY_LENGTH, dtype=values.dtype)
    padded[HISTORY_LENGTH - len(values) :] = values
    return padded


def user_state(  # noqa: PLR0917 - a row, a visit, and what both are read by
    row: Mapping[str, Any] | None,
    items: ItemTable,
    user_vocabularies: Mapping[str, Vocabulary],
    now: datetime,
    session_item_ids: Sequence[str] = (),
    session_event_types: Sequence[str] = (),
    *,
    session_occurred_at: Sequence[int] = (),
    recent: Mapping[str, Any] | None = None,
    session_id: str | None = None,
) -> UserState:
    """Turn one feature row into a state as of `now`.

    Args:
        row: the user's columns of `endcap.features.columns` with `event_timestamp`, the moment they are of; None for an unknown user.
            Without `event_timestamp` the row is taken to be of `now`.
        items: the bundle's catalogue; ids it does not know are left out.
        user_vocabularies: a vocabulary for each of USER_CATEGORICAL.
        now: the moment of the request.
        session_item_ids: items of the present visit, oldest first.
        session_event_types: what happened to each; items beyond them were looked at.
        session_occurred_at: when each of these happened, UTC epoch seconds; without it the visit changes nothing of `signals`.
        recent: USER_RECENT, what the stream knows of the user: what the row does not have yet comes on top of it, and what the visit
            has too counts once.
        session_id: of the present visit.
    """
    lists = [
        *(listed(row or {}, name) for name in ROW_IDS),
        *(listed(recent or {}, name) for name in RECENT_IDS),
        session_item_ids,
    ]
    # All ids at once: a look-up costs more than the ids in it.
    together = items.ids.codes(list(chain.from_iterable(lists)))
    ends = list(accumulate(map(len, lists)))
    codes = [together[end - len(ids) : end] for end, ids in zip(ends, lists, strict=True)]
    of_row, of_recent, session = codes[: len(ROW_IDS)], codes[len(ROW_IDS) : -1], codes[-1]
    batch = batch_moment(row, now)
    past = NO_PAST if row is None else Past.of_row(row, of_row, batch)
    if recent is not None and any(map(len, of_recent)):
        shared = of_visit(recent, of_recent[0], session_id, session, session_event_types)
        past = past.with_recent(recent, of_recent, batch, now.timestamp(), shared)
    state = _of_past(past, _Profile.unknown() if row is None else _Profile.of_row(row, items, user_vocabularies))
    if len(session_occurred_at):
        age_days = (now.timestamp() - np.asarray(session_occurred_at, dtype=np.float64)) / DAY_S
        visit = session[: len(session_occurred_at)], session_event_types, np.maximum(age_days, 0).astype(np.float32)
        state = replace(state, signals=state.signals.with_visit(*visit))
    return _with_session(state, session, _signals(session_event_types, len(session_item_ids)))


class _Profile(NamedTuple):
    """What is known of a user beside their past, as `UserState` has it."""

    numeric: NDArray[np.float32]
    categories: NDArray[np.int32]
    leaf_share: Shares
    brand_share: Shares
    is_known: bool

    @classmethod
    def of_row(cls, row: Mapping[str, Any], items: ItemTable, user_vocabularies: Mapping[str, Vocabulary]) -> "_Profile":
        return cls(
            numeric=np.array([row[name] or 0.0 for name in USER_NUMERIC], dtype=np.float32),
            categories=np.array([user_vocabularies[name].code(row[name]) for name in USER_CATEGORICAL], dtype=np.int32),
            leaf_share=_shares(items.categories, row["category_ids"], row["category_shares"]),
            brand_share=_shares(items.brands, row["brand_ids"], row["brand_shares"]),
            is_known=True,
        )

    @classmethod
    def unknown(cls) -> "_Profile":
        """Of somebody of whom nothing else is known."""
        numeric, categories = np.zeros(len(USER_NUMERIC), dtype=np.float32), np.zeros(len(USER_CATEGORICAL), dtype=np.int32)
        return cls(numeric, categories, Shares.none(), Shares.none(), is_known=False)


def _of_past(past: Past, profile: _Profile) -> UserState:
    days_since_bought = past.pairs["days_since_bought"].astype(np.float32)
    return UserState(
        numeric=profile.numeric,
        categories=profile.categories,
        history=past.history,
        history_age_days=past.history_age_days.astype(np.float32),
        history_signal=past.history_signal,
        **past.pairs | {"days_since_bought": days_since_bought},
        leaf_share=profile.leaf_share,
        brand_share=profile.brand_share,
        session=np.zeros(0, dtype=np.int32),
        is_known=profile.is_known,
        signals=past.signals,
    )


def _signals(event_types: Sequence[str], items: int) -> NDArray[np.int32]:
    """int32 [items]: codes of what happened; whatever is no signal was a look at the item."""
    codes = [signal_code(event_type) or VIEW_CODE for event_type in event_types[:items]]
    return np.array(codes + [VIEW_CODE] * (items - len(codes)), dtype=np.int32)


def _shares(vocabulary: Vocabulary, names: Sequence[str] | None, shares: Sequence[float] | None) -> Shares:
    if names is None or shares is None or not len(names):
        return Shares.none()
    return Shares.of(vocabulary.codes(names), np.asarray(shares, dtype=np.float32))


def _with_session(state: UserState, session: NDArray[np.int32], signal: NDArray[np.int32]) -> UserState:
    known = session > 0
    if not known.any():
        return state
    # A visit of thousands of events is a robot's, or a till's: nothing may take long because of it.
    session, signal = session[known][-HISTORY_LENGTH:], signal[known][-HISTORY_LENGTH:]
    history = np.concatenate([state.history, session])[-HISTORY_LENGTH:]
    age = np.concatenate([state.history_age_days, np.zeros(len(session), dtype=np.float32)])[-HISTORY_LENGTH:]
    signal = np.concatenate([state.history_signal, signal])[-HISTORY_LENGTH:]
    return replace(state, history=history, history_age_days=age, history_signal=signal, session=session)
