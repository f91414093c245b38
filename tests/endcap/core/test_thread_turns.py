import subprocess
import sys

import pytest

from endcap.core.thread_turns import SWITCH_INTERVAL_S

pytestmark = pytest.mark.processes


def test_a_process_that_takes_short_turns_lets_others_in_after_half_a_millisecond() -> None:
    code = "import sys; from endcap.core.thread_turns import take_short_turns; take_short_turns(); print(sys.getswitchinterval())"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
    assert float(shown) == SWITCH_INTERVAL_S < sys.getswitchinterval()
