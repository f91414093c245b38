"""Item-to-item: what is bought by those who bought what the person bought, looked at, or has before them."""

from dataclasses import replace

from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.item_to_item import item_to_item_candidates
from endcap_transformer.path.sources.source import SourceRequest


def item_to_item(asked: SourceRequest, quota: int) -> Candidates:
    """On a product page or in a cart the page's items alone count."""
    state = asked.state
    if asked.request.is_page:
        state = replace(state, history=state.history[:0], history_age_days=state.history_age_days[:0], session=state.session[:0])
    return item_to_item_candidates(asked.request.served.tables.item_to_item, state, asked.request.items, asked.eligible.of, quota)
