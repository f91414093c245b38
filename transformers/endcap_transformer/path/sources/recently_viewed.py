"""Recently viewed: what the person looked at in this visit and has not bought in it."""

from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.ordering import recently_viewed_candidates
from endcap_transformer.path.sources.source import SourceRequest


def recently_viewed(asked: SourceRequest, quota: int) -> Candidates:
    return recently_viewed_candidates(asked.state.session, asked.session_bought, asked.eligible.of, quota)
