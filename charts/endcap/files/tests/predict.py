"""Asks the predict endpoint for recommendations until it answers with a list, or the time is up."""

import json
import os
import sys
import time
import urllib.request

address, deadline = os.environ["ADDRESS"], time.monotonic() + float(os.environ["TIMEOUT_SECONDS"])
body = json.dumps({"instances": [{"session_id": "helm-test", "surface": "home", "k": 5}]}).encode()
while True:
    try:
        request = urllib.request.Request(address, data=body, headers={"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=5) as answered:
            answer = json.load(answered)["predictions"][0]
        print(json.dumps(answer))
        sys.exit(0 if answer["recommendations"] else "the list is empty")
    except OSError as error:
        if time.monotonic() > deadline:
            sys.exit(f"{address}: {error}")
        time.sleep(1)
