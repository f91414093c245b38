"""Trending: bought more of late than usual, in the person's region and segment, and by everybody."""

from endcap.retrieval.candidates import Candidates
from endcap.retrieval.trending import trending_candidates
from transformers.sources.source import SourceRequest


def trending(asked: SourceRequest, quota: int) -> Candidates:
    return trending_candidates(asked.request.served.tables.trending, asked.segments, asked.eligible.of, quota)
