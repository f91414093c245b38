"""Popular: most bought of late in the person's region and segment, and by everybody."""

from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.popular import popular_candidates
from endcap_transformer.path.sources.source import SourceRequest


def popular(asked: SourceRequest, quota: int) -> Candidates:
    return popular_candidates(asked.request.served.tables.popularity, asked.segments, asked.eligible.of, quota)
