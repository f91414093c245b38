"""Picks: items that an editor chose for this surface, and those that a rule needs among the candidates."""

import numpy as np

from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.ordering import picks_candidates
from endcap_transformer.path.sources.source import SourceRequest


def picks(asked: SourceRequest, quota: int) -> Candidates:
    book = asked.request.served.rules
    chosen, required = book.picks(asked.rules), book.required(asked.rules)
    if not len(chosen) and not len(required):
        return Candidates.none()
    both = np.concatenate([chosen, required])
    _, first = np.unique(both, return_index=True)
    return picks_candidates(both[np.sort(first)], asked.eligible.of, quota)
