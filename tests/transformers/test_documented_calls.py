"""The predict call of the operations guide, as it stands there, answered by a real transformer."""

import json
import shutil
import subprocess
from urllib.parse import urlsplit

import pytest

from endcap.contracts.answer import Answer
from tests.docs.page import blocks

pytestmark = pytest.mark.processes

SHOWN_HOST = "http://shop.example.com"


@pytest.mark.skipif(shutil.which("curl") is None, reason="the call is shown with curl, which is not installed")
def test_the_predict_call_of_the_operations_guide_is_answered(endpoint) -> None:
    (call,) = (block for block in blocks("operations.md") if block.name == "predict")
    assert urlsplit(SHOWN_HOST).hostname in call.script
    script = call.script.replace(SHOWN_HOST, endpoint.http)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=True)
    (answer,) = json.loads(done.stdout)["predictions"]
    assert len(Answer.model_validate(answer).recommendations) == 5
