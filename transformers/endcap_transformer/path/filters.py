"""A request's filters as far as a catalogue can answer them, and by name what of them it cannot."""

from collections.abc import Iterator, Sequence

from endcap.contracts.request import Filters, Preferences
from endcap_transformer.live.served_bundle import ServedBundle
from endcap_transformer.path.consent import EffectiveConsent


def applicable(filters: Filters, served: ServedBundle, consent: EffectiveConsent) -> tuple[Filters, list[str]]:
    """The filters that hold, and what is ignored of the others.

    An empty list is no filter. A filter that no item could answer would empty every list: it is left out and named. A category or brand
    that the catalogue does not know is named with its value; the filter itself stays, so where none is known no item fulfils it.
    """
    filters = _without_empty_lists(filters)
    items = served.tables.items
    can_apply = {
        "categories": items.has_categories,
        "brands": items.has_brands,
        "price_min": items.has_prices,
        "price_max": items.has_prices,
        "new_to_user": consent.personalisation,
    }
    left_out = [name for name, can in can_apply.items() if not can and getattr(filters, name) not in (None, False)]
    if left_out:
        filters = filters.model_copy(update={name: Filters.model_fields[name].default for name in left_out})
    return filters, [f"filters.{name}" for name in left_out] + list(_unknown(filters, served))


def _without_empty_lists(filters: Filters) -> Filters:
    empty = [name for name in ("categories", "brands") if getattr(filters, name) == []]
    return filters.model_copy(update=dict.fromkeys(empty)) if empty else filters


def unknown_preferences(stated: Preferences, served: ServedBundle) -> list[str]:
    """What a person stated that the catalogue does not know, by name: nothing of theirs can follow from it."""
    return list(_unknown_of("preferences", stated.categories, stated.brands, served))


def _unknown(filters: Filters, served: ServedBundle) -> Iterator[str]:
    return _unknown_of("filters", filters.categories or (), filters.brands or (), served)


def _unknown_of(field: str, categories: Sequence[str], brands: Sequence[str], served: ServedBundle) -> Iterator[str]:
    for name in dict.fromkeys(categories):
        if not served.categories.knows(name):
            yield f"{field}.categories: {name}"
    for name in dict.fromkeys(brands):
        if not served.tables.items.brands.code(name):
            yield f"{field}.brands: {name}"
