"""Popular: most bought of late in the person's region and segment, and by everybody."""

from endcap.retrieval.candidates import Candidates
from endcap.retrieval.popular import popular_candidates
from transformers.sources.source import SourceRequest


def popular(asked: SourceRequest, quota: int) -> Candidates:
    return popular_candidates(asked.request.served.tables.popularity, asked.segments, asked.eligible.of, quota)
