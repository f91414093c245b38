from pathlib import Path

import pytest

from endcap.dataset.layout import Dataset
from endcap.dataset.sources.complete_journey import CompleteJourneyOptions, import_complete_journey


@pytest.fixture(scope="session")
def small_journey(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Three households of the Complete Journey."""
    folder: Path = tmp_path_factory.mktemp("journey") / "data"
    return import_complete_journey(folder, CompleteJourneyOptions(sample_households=3), 0.02)[0]
