"""The most memory that this process ever held."""

import re
import resource
import sys
from pathlib import Path


def peak_memory_mib() -> float:
    """Mebibytes of this program since it started.

    Linux keeps it a program (VmHWM); `ru_maxrss` would also count what the parent held when it started this one.
    """
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii")) if status.is_file() else None
    if found:
        return int(found[1]) / 1024
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
