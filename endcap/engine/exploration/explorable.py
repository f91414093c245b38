"""What exploration may touch without breaking a rule."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from endcap.engine.slate.floors import members_asked
from endcap.engine.slate.placements import Placements
from endcap.engine.slate.slate import Slate, SlotKind


def explorable_positions(slate: Slate, placements: Placements, most: int) -> NDArray[np.intp]:
    """intp [s]: places of the list, from 0, that may explore: never the first, none that a rule decided.

    Args:
        slate: the list without exploration.
        placements: a share's members stay where `most` fewer of them would be too few.
        most: how many places may explore in one list.
    """
    may = np.array([kind is SlotKind.RANKED for kind in slate.kind], dtype=np.bool_)
    may[:1] = False
    for share in placements.shares:
        member = share.member[slate.rows]
        if int(member.sum()) - most < members_asked(share.share, len(slate)):
            may &= ~member
    return np.flatnonzero(may)


def room_by_caps(slate: Slate, placements: Placements, candidates: int) -> NDArray[np.bool_]:
    """bool [m]: candidates of which one more breaks no cap."""
    room = np.ones(candidates, dtype=np.bool_)
    for cap in placements.caps:
        if cap.most <= 0:
            room &= cap.group < 0
        for group, count in Counter(cap.group[slate.rows[: cap.within]].tolist()).items():
            if count >= cap.most and group >= 0:
                room &= cap.group != group
    return room


def fit_together(rows: NDArray[np.intp], slate: Slate, score: NDArray[np.float32], placements: Placements, most: int) -> NDArray[np.bool_]:
    """bool [p]: which rows may stay in the pool so that any `most` of it keep to the caps together.

    Args:
        rows: intp [p], candidate rows, each with room for itself.
        slate: the list without exploration.
        score: float32 [m]; where a group has room for fewer than `most`, its best rows stay.
        placements: the caps.
        most: how many of the pool one list may show.
    """
    fits = np.ones(len(rows), dtype=np.bool_)
    best_first = np.argsort(-score[rows], kind="stable")
    for cap in placements.caps:
        group = cap.group[rows]
        in_list = cap.group[slate.rows[: cap.within]]
        room = cap.most - (in_list[None, :] == group[:, None]).sum(axis=1)
        by_group = best_first[np.argsort(group[best_first], kind="stable")]
        ordered = group[by_group]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(rows) else np.zeros(0, np.intp)
        rank = np.empty(len(rows), dtype=np.intp)
        rank[by_group] = np.arange(len(rows)) - np.repeat(starts, np.diff(np.r_[starts, len(rows)]))
        fits &= (group < 0) | (room >= most) | (rank < room)
    return fits
