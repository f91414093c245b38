"""The measure of own CPU goes the whole way, with every stage in its timings."""

import asyncio

import numpy as np
import orjson
from prometheus_client import CollectorRegistry

from endcap.contracts.bundle import BundleManifest
from endcap.core.settings import ServingSettings, Settings
from endcap.release.bundle.manifest import present_feature_columns
from endcap_benchmarks.micro.own_path import GENEROUS, MadeModel, MadeNeighbours, NoLog, OwnPath
from endcap_benchmarks.synthetic.bundle import SyntheticSize, make_feature_row, make_tables, manifest_fields
from endcap_transformer.live.served_bundle import served_from
from endcap_transformer.path.features import FeatureReader
from endcap_transformer.path.request_path import RequestPath
from endcap_transformer.server.server import path_parts
from endcap_transformer.telemetry.metrics import ServingMetrics

SIZE = SyntheticSize(items=300, dim=8, neighbours=10)


class OnePerson:
    def read(self, user_id, session_id):
        return {"user": make_feature_row("U1", SIZE, pairs=60), "session": None}


def test_a_list_of_the_measure_is_a_whole_one_with_all_stages() -> None:
    manifest = BundleManifest(features=present_feature_columns(), files={}, **manifest_fields(1, "endcap_1", SIZE))
    settings = Settings(replay_at=manifest.data_end, serving=ServingSettings(**GENEROUS))
    served, random = served_from(manifest, make_tables(SIZE), settings), np.random.default_rng(0)
    metrics = ServingMetrics(CollectorRegistry())
    features = FeatureReader(OnePerson(), settings, metrics)
    parts = path_parts(settings, features, MadeNeighbours(SIZE.items, random), MadeModel(served, random), NoLog(), metrics)
    own = OwnPath(RequestPath(parts), served)
    body = orjson.dumps({"instances": [{"user_id": "U1", "k": 10}]})
    for timings in asyncio.run(own.answered([body, body])):
        assert {"parse", "features", "query", "retrieval", "rank", "rules", "slate", "respond", "encode", "whole"} <= set(timings)
        assert timings["whole"] >= timings["total"]


def test_neighbours_are_distinct_items_of_the_catalogue() -> None:
    found = asyncio.run(MadeNeighbours(1_000, np.random.default_rng(1)).search("c", np.ones(4, np.float32), 500, where=None, timeout_ms=1))
    assert len(np.unique(found.index)) == 500
    assert found.index.min() >= 1
    assert found.index.max() <= 1_000
