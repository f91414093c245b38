import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def shop() -> ModuleType:
    """Makers of small datasets: write_shop, random_shop, random_events, purchase, item, user, moment."""
    spec = importlib.util.spec_from_file_location("made_shop", Path(__file__).with_name("made_shop.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
