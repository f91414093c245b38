"""Content: items without a history that match what the person likes, or the page."""

import numpy as np

from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.content import content_candidates
from endcap_transformer.path.sources.source import SourceRequest


def content(asked: SourceRequest, quota: int) -> Candidates:
    request = asked.request
    seeds = request.items if request.is_page else np.concatenate([asked.state.session, request.items])
    return content_candidates(request.served.content, asked.state, seeds, asked.eligible.of, quota)
