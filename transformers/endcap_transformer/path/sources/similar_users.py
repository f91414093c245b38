"""Similar users: for people with hardly any history, what their nearest neighbours among known users buy."""

from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.similar_users import similar_users_candidates
from endcap_transformer.path.sources.source import SourceRequest

HISTORY_MAX = 10
"""From so many items of one's own on, one's own history says more."""


def similar_users(asked: SourceRequest, quota: int) -> Candidates:
    if asked.query is None or len(asked.state.pair_index) > HISTORY_MAX:
        return Candidates.none()
    return similar_users_candidates(asked.request.served.tables.similar_users, asked.query.embedding, asked.eligible.of, quota)
