import os
import subprocess
import sys
from pathlib import Path

import pytest

from endcap_local.background import AUTOGROUP, NICENESS

pytestmark = pytest.mark.processes

SHOWN = f"""
import os
from pathlib import Path
group = Path({str(AUTOGROUP)!r})
print(os.nice(0), group.read_text().split()[-1] if group.exists() else 'none')
"""


def shown_by(*before: str, session: bool = True) -> list[str]:
    command = [sys.executable, *before, "-c", SHOWN]
    return subprocess.run(command, capture_output=True, check=True, text=True, start_new_session=session).stdout.split()


def test_a_part_in_the_background_and_its_session_stand_behind_others() -> None:
    plain, group = shown_by()
    behind, group_behind = shown_by("-m", "endcap_local.background", sys.executable)
    assert int(behind) == int(plain) + NICENESS
    assert group_behind == (group if group == "none" else str(NICENESS))


def test_the_command_takes_the_place_of_the_process_so_that_signals_reach_it(tmp_path: Path) -> None:
    code = "import os; print(os.getpid())"
    process = subprocess.Popen(
        [sys.executable, "-m", "endcap_local.background", sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    with process:
        assert int(process.stdout.read()) == process.pid
    assert os.getpid() != process.pid
