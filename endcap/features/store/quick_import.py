"""Importing Feast without its run-time type checks.

Feast decorates its classes with typeguard, which parses and compiles their source at each start: 6 of the 8 seconds its import takes. What
endcap passes to Feast is checked by mypy and by tests.
"""

import contextlib
import importlib
import io
import sys
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any


def import_feast() -> ModuleType:
    """Feast, imported in a quarter of the time; as it is when something else imported it before."""
    if "feast" not in sys.modules:
        import typeguard

        checked = typeguard.typechecked
        typeguard.typechecked = _unchecked
        try:
            importlib.import_module("feast")
        finally:
            typeguard.typechecked = checked
    return sys.modules["feast"]


def _unchecked(target: Any = None, **_options: Any) -> Any:
    """Stands in for typeguard's decorator, with or without arguments."""
    return target if target is not None else _unchecked


@contextlib.contextmanager
def quiet_feast() -> Iterator[None]:
    """Keep what Feast prints from the terminal and from `--json` documents. Errors still raise."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
