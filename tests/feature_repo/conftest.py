import pytest

from endcap.features.store.quick_import import import_feast


@pytest.fixture(scope="session", autouse=True)
def quick_feast():
    """Feast without its run-time type checks: these alone would take seconds."""
    return import_feast()
