import json

import pytest
from kfp import dsl

from endcap.contracts.training_plan import PLAN_NAME, Timetable
from endcap.core.errors import DataRejected
from endcap.features.computing import build_feature_tables
from endcap.features.manifest import read_manifest
from endcap.features.names import FEATURE_TABLES
from endcap.features.snapshots import FeatureOptions
from endcap_components.build_features.component import build_features
from endcap_components.kfp_step import BASE_IMAGE
from endcap_components.publish_features.component import publish_features
from tests.endcap.training.made_plan import made_plan

TIMES = Timetable(test_weeks=2, ranking_windows=1)


@pytest.fixture
def plan(tmp_path):
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / PLAN_NAME).write_text(made_plan(times=TIMES).model_dump_json())
    return dsl.Dataset(name="plan", uri=str(tmp_path / "plan"))


def test_components_run_in_the_pipeline_image_and_install_nothing():
    for component in (build_features, publish_features):
        assert component.component_spec.implementation.container.image == BASE_IMAGE
        assert "pip install" not in " ".join(component.component_spec.implementation.container.command)


def test_the_component_writes_tables_metadata_and_metrics(shop, plan, tmp_path):
    dataset = dsl.Dataset(name="dataset", uri=str(shop.random_shop(tmp_path / "data", 4)))
    features = dsl.Dataset(name="features", uri=str(tmp_path / "out" / "features"))
    metrics = dsl.Metrics(name="metrics", uri=str(tmp_path / "out" / "metrics"))
    build_features.python_func(dataset=dataset, plan=plan, features=features, metrics=metrics)
    manifest = read_manifest(tmp_path / "out" / "features")
    assert features.metadata == {"fingerprint": manifest.fingerprint, "cut": manifest.cut.isoformat()}
    assert len(manifest.ranking_times) == 1
    logged = json.loads((tmp_path / "out" / "metrics").read_text())
    assert logged["rows_user_features"] == manifest.rows["user_features"] == metrics.metadata["rows_user_features"]


def test_a_failed_build_leaves_no_artifact(plan, tmp_path):
    (tmp_path / "data").mkdir()
    dataset = dsl.Dataset(name="dataset", uri=str(tmp_path / "data"))
    features = dsl.Dataset(name="features", uri=str(tmp_path / "features"))
    metrics = dsl.Metrics(name="metrics", uri=str(tmp_path / "metrics"))
    with pytest.raises(DataRejected):
        build_features.python_func(dataset=dataset, plan=plan, features=features, metrics=metrics)
    assert not (tmp_path / "features").exists()


def test_the_component_takes_up_what_spark_computed(shop, plan, tmp_path, monkeypatch):
    made, computed = shop.random_shop(tmp_path / "data", 4), tmp_path / "computed"
    summary = build_feature_tables(made, tmp_path / "built", FeatureOptions(test_weeks=2, ranking_windows=1))
    for table in FEATURE_TABLES:
        (computed / table).mkdir(parents=True)
        (tmp_path / "built" / f"{table}.parquet").rename(computed / table / "part-00000.snappy.parquet")
    summary.manifest.write(computed)
    monkeypatch.setenv("ENDCAP_FEATURES__COMPUTED", str(computed))
    features = dsl.Dataset(name="features", uri=str(tmp_path / "out" / "features"))
    metrics = dsl.Metrics(name="metrics", uri=str(tmp_path / "out" / "metrics"))
    dataset = dsl.Dataset(name="dataset", uri=str(made))
    build_features.python_func(dataset=dataset, plan=plan, features=features, metrics=metrics)
    assert read_manifest(tmp_path / "out" / "features") == summary.manifest
    assert "seconds_user_features" in metrics.metadata
    assert "seconds_snapshots" not in metrics.metadata
