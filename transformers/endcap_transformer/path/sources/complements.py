"""Complements: what goes into one basket with the page's items more often than chance would have it."""

from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.complements import complements_candidates
from endcap_transformer.path.sources.source import SourceRequest


def complements(asked: SourceRequest, quota: int) -> Candidates:
    request = asked.request
    seeds = request.items if request.is_page else asked.state.session
    return complements_candidates(request.served.tables.complements, seeds, asked.eligible.of, quota)
