"""Asks a health endpoint until it says yes, or the time is up."""

import os
import sys
import time
import urllib.request

address, deadline = os.environ["ADDRESS"], time.monotonic() + float(os.environ["TIMEOUT_SECONDS"])
while True:
    try:
        with urllib.request.urlopen(address, timeout=5) as answered:
            sys.exit(0 if answered.status == 200 else f"{address}: {answered.status}")
    except OSError as error:
        if time.monotonic() > deadline:
            sys.exit(f"{address}: {error}")
        time.sleep(1)
