from collections.abc import Iterator

import pytest

from tests.endcap.prepared_lists.made_endpoint import MadeEndpoint
from tests.served_http import served


@pytest.fixture
def endpoint() -> Iterator[MadeEndpoint]:
    with served(MadeEndpoint()) as server:
        yield server
