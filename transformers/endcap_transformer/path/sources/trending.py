"""Trending: bought more of late than usual, in the person's region and segment, and by everybody."""

from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.trending import trending_candidates
from endcap_transformer.path.sources.source import SourceRequest


def trending(asked: SourceRequest, quota: int) -> Candidates:
    return trending_candidates(asked.request.served.tables.trending, asked.segments, asked.eligible.of, quota)
