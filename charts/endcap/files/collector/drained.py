"""Waits until Kafka has all that the spool of this pod holds; what is left when the time is up stays on its volume, and is said."""

import http.client
import os
import sys
import time

NAME = "endcap_collector_spool_waiting_bytes{"
now = time.monotonic()
leaves_endpoints_at = now + float(os.environ["PRE_STOP_SECONDS"])
deadline = leaves_endpoints_at + float(os.environ["DRAIN_SECONDS"])
while True:
    waiting = None
    try:
        connection = http.client.HTTPConnection(os.environ["HOST"], timeout=5)
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
        waiting = sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(NAME))
        left = f"{waiting:.0f} bytes"
    except (OSError, http.client.HTTPException) as error:
        left = f"an unknown number of bytes ({error})"
    now = time.monotonic()
    if waiting == 0 and now >= leaves_endpoints_at:
        sys.exit(0)
    if now >= deadline:
        sys.exit(f"{left} wait for Kafka on this pod's volume; the next pod of this name sends them")
    time.sleep(0.5)
