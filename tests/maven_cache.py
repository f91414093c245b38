"""What Maven fetches for tests."""

from pathlib import Path

import pytest


def required(found: tuple[Path | None, str]) -> Path:
    """The folder that was found, or a skipped test with the reason."""
    folder, reason = found
    if folder is None:
        pytest.skip(reason)
    return folder
