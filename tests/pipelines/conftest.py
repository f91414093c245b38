import pytest


@pytest.fixture(scope="session", autouse=True)
def _quick_kfp(quick_kfp: None) -> None:
    """Nearly every test here compiles the pipeline."""
