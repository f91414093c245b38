from endcap.features.columns import CONTEXT, ITEM_NUMERIC, PAIR_LISTS, USER_AFFINITY, USER_CATEGORICAL, USER_HISTORY, USER_NUMERIC
from endcap.features.store import names


def fields(view):
    return {field.name for field in view.schema}


def test_views_have_the_columns_of_the_contract():
    from endcap_feature_repo import definitions

    assert fields(definitions.user_profile) - {"user_id"} == {*USER_NUMERIC, *USER_CATEGORICAL, *USER_AFFINITY}
    assert fields(definitions.user_history) - {"user_id"} == set(USER_HISTORY)
    assert fields(definitions.user_item) - {"user_id"} == set(PAIR_LISTS)
    assert fields(definitions.item_stats) - {"item_id"} == set(ITEM_NUMERIC)
    assert fields(definitions.session_signals) - {"session_id"} == {*names.SESSION_COLUMNS, *names.SESSION_SUMMARY}
    assert {field.name for field in definitions.context_features.schema} == set(CONTEXT)


def test_items_are_never_read_online():
    from endcap_feature_repo.definitions import item_stats

    assert not item_stats.online


def test_a_request_needs_no_view_on_demand():
    from endcap_feature_repo.definitions import request_v1

    assert {projection.name for projection in request_v1.feature_view_projections} == {*names.USER_VIEWS, names.SESSION_SIGNALS}


def test_a_request_reads_of_a_visit_what_lists_are_made_of():
    from endcap_feature_repo.definitions import request_v1

    (visit,) = (each for each in request_v1.feature_view_projections if each.name == names.SESSION_SIGNALS)
    assert [feature.name for feature in visit.features] == list(names.SESSION_COLUMNS)


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
