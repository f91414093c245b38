"""The table of serving models: artifacts in both layouts, one line a variant."""

from pathlib import Path

import pytest

from endcap.core.errors import InvalidInput
from endcap_benchmarks.micro.serving_models import _artifact, table

LOSS = {"mean": 0.0012, "low": -0.001, "high": 0.0034}
ROW = {
    "model": "teacher, 1 member",
    "precision": "int8",
    "ndcg_all": 0.41,
    "ndcg_new": 0.06,
    "loss_to_teacher": LOSS,
    "loss_to_own_float32": LOSS,
    "rank_p50_ms": 1.0,
    "rank_p99_ms": 2.0,
    "encode_p50_ms": 0.5,
    "encode_p99_ms": 0.75,
    "rank_cpu_ms": 1.0,
    "encode_cpu_ms": 0.5,
    "size_mb": 2.9,
    "load_s": 0.2,
    "memory_mb": 12.0,
}


def test_a_variant_is_a_line_with_its_interval() -> None:
    head, rule, line = table([ROW]).splitlines()
    assert head.count("|") == rule.count("|") == line.count("|")
    assert "| int8 | 0.4100 | 0.0600 | +0.0012 [-0.0010, +0.0034] |" in line


def test_artifacts_are_found_side_by_side_or_in_their_steps(tmp_path: Path) -> None:
    for layout in ("two_tower", "train-two-tower/two_tower"):
        run = tmp_path / layout.replace("/", "-")
        (run / layout).mkdir(parents=True)
        assert _artifact(run, "two_tower") == run / layout
    with pytest.raises(InvalidInput, match="has no such artifact; got 'tables'"):
        _artifact(tmp_path, "tables")
