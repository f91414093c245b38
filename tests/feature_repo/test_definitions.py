from endcap.features.columns import (
    CONTEXT,
    ITEM_NUMERIC,
    PAIR_LISTS,
    USER_AFFINITY,
    USER_CATEGORICAL,
    USER_HISTORY,
    USER_NUMERIC,
    USER_RECENT,
)
from endcap.features.store import names
from endcap.features.store.packed_views import PACKED, PACKED_VIEWS


def fields(view):
    return {field.name for field in view.schema}


def test_views_have_the_columns_of_the_contract():
    from endcap_feature_repo import definitions

    assert fields(definitions.user_profile) - {"user_id"} == {*USER_NUMERIC, *USER_CATEGORICAL, *USER_AFFINITY}
    assert fields(definitions.user_history) - {"user_id"} == set(USER_HISTORY)
    assert fields(definitions.user_item) - {"user_id"} == set(PAIR_LISTS)
    assert fields(definitions.user_recent) - {"user_id"} == set(USER_RECENT)
    assert fields(definitions.item_stats) - {"item_id"} == set(ITEM_NUMERIC)
    assert fields(definitions.session_signals) - {"session_id"} == {*names.SESSION_COLUMNS, *names.SESSION_SUMMARY}
    assert {field.name for field in definitions.context_features.schema} == set(CONTEXT)


def test_items_are_never_read_online():
    from endcap_feature_repo.definitions import item_stats

    assert not item_stats.online


def test_a_request_needs_no_view_on_demand():
    from endcap_feature_repo.definitions import request_v1

    read = {projection.name for projection in request_v1.feature_view_projections}
    assert read == {*names.USER_VIEWS, names.USER_RECENT_VIEW, names.SESSION_SIGNALS}


def test_a_request_reads_of_a_visit_what_lists_are_made_of():
    from endcap_feature_repo.definitions import request_v1

    (visit,) = (each for each in request_v1.feature_view_projections if each.name == names.SESSION_SIGNALS)
    assert [feature.name for feature in visit.features] == list(names.SESSION_COLUMNS)


def test_packed_rows_have_the_columns_and_types_of_the_views_beside_them():
    from feast.types import Array, Bytes, Float32, Int64, String

    from endcap_feature_repo import definitions

    types = {
        "numbers": Float32,
        "integers": Int64,
        "texts": String,
        "number_lists": Array(Float32),
        "integer_lists": Array(Int64),
        "text_lists": Array(String),
    }
    for packed in PACKED_VIEWS:
        assert [(field.name, field.dtype) for field in getattr(definitions, packed.name).features] == [(PACKED, Bytes)]
        beside = {field.name: field.dtype for name in packed.column_views for field in getattr(definitions, name).features}
        of_layout = {name: dtype for group, dtype in types.items() for name in getattr(packed.layout, group)}
        assert {name: beside[name] for name in packed.layout.names} == of_layout


def test_readers_of_earlier_versions_find_no_packed_rows_among_their_columns():
    from endcap_feature_repo.definitions import request_packed_v1, request_v1

    packed = {view.name for view in PACKED_VIEWS}
    assert {projection.name for projection in request_packed_v1.feature_view_projections} == packed
    assert not packed & {projection.name for projection in request_v1.feature_view_projections}


def test_the_context_view_is_the_request_paths_function():
    import pandas as pd

    from endcap.features.context import context_rows
    from endcap_feature_repo.definitions import context_features

    inputs = pd.DataFrame({"epoch_seconds": [0, 1_700_000_000], "request_surface": ["home", "cart"], "request_device": ["app", None]})
    found = context_features.feature_transformation.udf(inputs)
    assert list(found.columns) == list(CONTEXT)
    assert found.to_numpy().tolist() == context_rows([0, 1_700_000_000], ["home", "cart"], ["app", None]).tolist()


def test_every_other_file_is_kept_from_feast():
    from pathlib import Path

    import endcap_feature_repo

    folder = Path(endcap_feature_repo.__file__).parent
    ignored = {line.strip() for line in (folder / ".feastignore").read_text().splitlines() if not line.startswith("#")}
    assert {path.name for path in folder.glob("*.py")} - ignored == {"__init__.py", "definitions.py"}
