"""A body that unpacks to far more than one may send: it is refused at the limit, and costs next to nothing."""

import time
import zlib
from typing import Any

import httpx
import numpy as np
import psutil

from endcap_benchmarks.events.collector_process import RunningCollector
from endcap_benchmarks.events.load.send import PATH
from endcap_benchmarks.report_table import PERCENTILES
from endcap_benchmarks.serving.summary import share

MIB = 1024 * 1024
ZEROS_MIB = 50
TRIES = 20
REFUSED = 413
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


def zipped_zeros(collector: RunningCollector) -> dict[str, Any]:
    """Send it some times, one after the other."""
    body = packed_zeros(ZEROS_MIB)
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    statuses: list[int] = []
    took_ms: list[float] = []
    before_mib = _resident_mib(collector.process)
    most_mib = before_mib
    with httpx.Client(base_url=f"http://127.0.0.1:{collector.port}", timeout=30, trust_env=False) as client:
        for _ in range(TRIES):
            began = time.perf_counter()
            statuses.append(client.post(PATH, content=body, headers=headers).status_code)
            took_ms.append((time.perf_counter() - began) * 1000)
            most_mib = max(most_mib, _resident_mib(collector.process))
    return {
        "scenario": "zipped zeros",
        "of": f"{ZEROS_MIB} MiB of zeros in {len(body):,} bytes",
        **{name: {"refusal": round(float(np.percentile(took_ms, at)), 2)} for name, at in PERCENTILES.items()},
        "tries": TRIES,
        "refused_share": share(statuses.count(REFUSED), TRIES),
        "statuses": {str(status): statuses.count(status) for status in sorted(set(statuses))},
        "memory_mib_before": round(before_mib, 1),
        "memory_mib_growth": round(most_mib - before_mib, 1),
        "ready_after": collector.get("/readyz").is_success,
    }


def packed_zeros(mib: int) -> bytes:
    """So many MiB of zeros as gzip; they are never in memory together."""
    packer = zlib.compressobj(9, wbits=_GZIP_WINDOW)
    part = bytes(MIB)
    return b"".join([*(packer.compress(part) for _ in range(mib)), packer.flush()])


def _resident_mib(process: psutil.Process) -> float:
    return float(process.memory_info().rss / MIB)
