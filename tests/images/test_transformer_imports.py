"""The transformer's whole tree of modules, imported in a process of its own: what its image need not hold is not asked for."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.processes

IMPORT_ALL = """
import importlib, pkgutil, sys
import endcap_transformer
from endcap.features.store.quick_import import import_feast
from endcap.core.tensorflow_serving.messages import serving_messages

for module in pkgutil.walk_packages(endcap_transformer.__path__, "endcap_transformer."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
serving_messages()
import_feast()
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_the_transformer_imports_no_tensorflow_and_nothing_of_training() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    imported = set(done.stdout.split())
    assert {"kserve", "feast", "polars"} <= imported
    assert {name for name in imported if name.startswith("tensorflow")} == set()
    assert imported.isdisjoint({"keras", "tf_keras", "mlflow", "kfp", "ray", "torch", "pyspark", "mypy"})
