"""Feast prints its progress and its libraries' deprecations to standard output and error; commands need both for themselves."""

import contextlib
import io
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_feast() -> Iterator[None]:
    """Keep what Feast prints from the terminal and from `--json` documents. Errors still raise."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
