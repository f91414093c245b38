import threading
from collections.abc import Iterator

import pytest

from tests.endcap.prepared_lists.made_endpoint import MadeEndpoint


@pytest.fixture
def endpoint() -> Iterator[MadeEndpoint]:
    with MadeEndpoint() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
