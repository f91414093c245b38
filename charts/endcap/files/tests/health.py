"""Asks a health endpoint until it says yes, or the time is up."""

import http.client
import os
import sys
import time

host, path, deadline = os.environ["HOST"], os.environ["REQUEST_PATH"], time.monotonic() + float(os.environ["TIMEOUT_SECONDS"])
while True:
    try:
        connection = http.client.HTTPConnection(host, timeout=5)
        connection.request("GET", path)
        status = connection.getresponse().status
        if status == 200:
            sys.exit(0)
        reason = str(status)
    except (OSError, http.client.HTTPException) as error:
        reason = repr(error)
    if time.monotonic() > deadline:
        sys.exit(f"{host}{path}: {reason}")
    time.sleep(1)
