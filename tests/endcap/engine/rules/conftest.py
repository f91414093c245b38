"""One small catalogue for all tests of rules, and books over it."""

from collections.abc import Callable

import pytest

from endcap.catalogue.item_table import ItemTable
from endcap.engine.rules.rule_book import RuleBook
from tests.endcap.engine.rules.made_catalogue import NOW, made_items, written


@pytest.fixture(scope="session")
def items() -> ItemTable:
    return made_items()


@pytest.fixture
def compiled(items: ItemTable) -> Callable[[str], RuleBook]:
    return lambda text: RuleBook.compile(written(text), items, lambda: NOW)
