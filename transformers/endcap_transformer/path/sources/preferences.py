"""Preferences: the most bought items of the tastes a person stated, and of the category a request is filtered by."""

from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.preferences import preferences_candidates
from endcap_transformer.path.sources.source import SourceRequest


def preferences(asked: SourceRequest, quota: int) -> Candidates:
    instance, served = asked.request.instance, asked.request.served
    categories = [*instance.preferences.categories, *(instance.filters.categories or ())]
    brands = [*instance.preferences.brands, *(instance.filters.brands or ())]
    if not categories and not brands:
        return Candidates.none()
    codes = [served.categories.codes_by_name.get(name, ()) for name in categories]
    return preferences_candidates(served.popular_within, codes, served.tables.items.brands.codes(brands).tolist(), asked.eligible.of, quota)
