import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def shop() -> ModuleType:
    """Makers of small datasets."""
    path = Path(__file__).parents[2] / "endcap" / "features" / "made_shop.py"
    spec = importlib.util.spec_from_file_location("made_shop", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
