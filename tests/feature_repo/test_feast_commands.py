"""The feature repository works with Feast's own command line, from its folder and from the root."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from endcap.core.ports import free_port
from endcap.features.store.open import RUN_FEAST

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]
FEAST = [str(Path(sys.executable).with_name("feast"))]
QUICK_FEAST = [sys.executable, "-c", RUN_FEAST]
"""The same command line, which starts several seconds earlier."""


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A copy of the feature repository beside a home with features at its default place."""
    import importlib.util

    from endcap.core.settings import Settings
    from endcap.features.computing import build_feature_tables
    from endcap.features.snapshots import FeatureOptions
    from endcap.features.store.packed_tables import ensure_packed_tables
    from endcap.features.store.push import ensure_session_table
    from endcap.features.store.recent_items import ensure_recent_table

    spec = importlib.util.spec_from_file_location("made_shop", ROOT / "tests" / "endcap" / "features" / "made_shop.py")
    shop = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shop)
    folder = tmp_path_factory.mktemp("clone")
    shutil.copytree(ROOT / "feature_repo", folder / "feature_repo", ignore=shutil.ignore_patterns("__pycache__"))
    features = folder / ".endcap" / "features"
    build_feature_tables(shop.random_shop(folder / "data", 2), features, FeatureOptions(test_weeks=2, ranking_windows=1))
    ensure_session_table(Settings(home=folder / ".endcap"))
    ensure_recent_table(Settings(home=folder / ".endcap"))
    ensure_packed_tables(Settings(home=folder / ".endcap"))
    return folder


def environment(root):
    """No ENDCAP_ variables, and the copy's definitions instead of the installed ones."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ENDCAP_")}
    return kept | {"PYTHONPATH": f"{root / 'feature_repo'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}", "PYTHONWARNINGS": "ignore"}


def run(root, folder, *command):
    done = subprocess.run(command, cwd=folder, env=environment(root), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def applied(root):
    """What `feast apply` says in the repository's folder."""
    return run(root, root / "feature_repo" / "endcap_feature_repo", *FEAST, "apply")


def test_apply_registers_views_and_services(root, applied):
    services, views = ("retrieval_v1", "ranking_v1", "request_v1"), ("user_profile", "user_history", "user_item", "user_recent")
    for name in (*services, *views, "item_stats", "session_signals"):
        assert name in applied
    assert (root / ".endcap" / "feast" / "registry.db").exists()


def test_materialize_incremental_moves_recorded_data(root, applied):
    import sqlite3

    said = run(root, root, *QUICK_FEAST, "-c", "feature_repo/endcap_feature_repo", "materialize-incremental", "2025-06-01T00:00:00")
    assert "user_profile" in said
    with sqlite3.connect(root / ".endcap" / "feast" / "online.db") as online:
        users = online.execute("SELECT count(DISTINCT entity_key) FROM endcap_user_profile").fetchone()[0]
    assert users == 8


def test_the_ui_answers_over_http(root, applied):
    for needed in ("grpc_health", "grpc_reflection"):
        pytest.importorskip(needed, reason="Feast's user interface needs it")
    port = free_port()
    command = [*QUICK_FEAST, "-c", "feature_repo/endcap_feature_repo", "ui", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, cwd=root, env=environment(root), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as ui:
        try:
            said = []
            for line in ui.stdout:
                said.append(line)
                if "running on" in line:
                    break
            assert ui.poll() is None, "".join(said)
            answer = httpx.get(f"http://127.0.0.1:{port}/", timeout=30)
            assert answer.status_code == 200
            assert "Feast" in answer.text
        finally:
            ui.terminate()
