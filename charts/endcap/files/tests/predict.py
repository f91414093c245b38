"""Asks the predict endpoint for recommendations until it answers with a list, or the time is up."""

import http.client
import json
import os
import sys
import time

host, deadline = os.environ["HOST"], time.monotonic() + float(os.environ["TIMEOUT_SECONDS"])
body = json.dumps({"instances": [{"session_id": "helm-test", "surface": "home", "k": 5}]})
while True:
    try:
        connection = http.client.HTTPConnection(host, timeout=5)
        connection.request("POST", "/v1/models/endcap:predict", body, {"content-type": "application/json"})
        answered = connection.getresponse()
        text = answered.read().decode()
        if answered.status == 200:
            sys.stdout.write(f"{text}\n")
            sys.exit(0 if json.loads(text)["predictions"][0]["recommendations"] else "the list is empty")
        reason = f"{answered.status} {text}"
    except (OSError, http.client.HTTPException) as error:
        reason = repr(error)
    if time.monotonic() > deadline:
        sys.exit(f"{host}: {reason}")
    time.sleep(1)
