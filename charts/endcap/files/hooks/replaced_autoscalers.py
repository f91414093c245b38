"""Deletes the autoscalers that KServe made for another class than an InferenceService has now, once it has taken the class over.

KServe makes the autoscaler of the new class and leaves the old one, which goes on scaling; before it has taken the change over, it would
make a deleted one again. What others made, also under the same name, stays.
"""

import http.client
import json
import os
import pathlib
import ssl
import sys
import time

ACCOUNT = os.environ.get("SERVICE_ACCOUNT_FOLDER", "/var/run/secrets/kubernetes.io/serviceaccount")
NAMESPACE = os.environ["NAMESPACE"]
SETTLED_SECONDS = float(os.environ.get("SETTLED_SECONDS", "5"))
CLASS = "serving.kserve.io/autoscalerClass"
SERVICES = f"/apis/serving.kserve.io/v1beta1/namespaces/{NAMESPACE}/inferenceservices/"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/"
AUTOSCALERS = {
    "hpa": f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers/",
    "keda": f"/apis/keda.sh/v1alpha1/namespaces/{NAMESPACE}/scaledobjects/",
}


def ask(method, path, body=None):
    """The answer as JSON; None for an object that is not there."""
    token = pathlib.Path(ACCOUNT, "token").read_text(encoding="utf-8").strip()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    trusted = ssl.create_default_context(cafile=f"{ACCOUNT}/ca.crt")
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], int(os.environ["KUBERNETES_SERVICE_PORT"])
    connection = http.client.HTTPSConnection(host, port, timeout=10, context=trusted)
    try:
        connection.request(method, path, body and json.dumps(body), headers)
        response = connection.getresponse()
        text = response.read().decode()
    finally:
        connection.close()
    if response.status == 404:
        return None
    if response.status >= 300:
        raise OSError(f"{method} {path}: {response.status} {text[:300]}")
    return json.loads(text)


def annotation(found):
    return ((found or {}).get("metadata", {}).get("annotations") or {}).get(CLASS, "hpa")


def replaced(service, found):
    """Path and uid of each autoscaler of another class that KServe made for this InferenceService."""
    for name, path in AUTOSCALERS.items():
        if name != annotation(found):
            made = ask("GET", f"{path}{service}-predictor")
            owners = [each["uid"] for each in ((made or {}).get("metadata", {}).get("ownerReferences") or []) if each.get("controller")]
            if found["metadata"]["uid"] in owners and "deletionTimestamp" not in made["metadata"]:
                yield f"{path}{service}-predictor", made["metadata"]["uid"]


def tidy(service):
    """Why there is more to do for this InferenceService; empty when there is nothing."""
    found = ask("GET", SERVICES + service)
    old = list(replaced(service, found)) if found else []
    if not old:
        return ""
    if annotation(ask("GET", f"{DEPLOYMENTS}{service}-predictor")) != annotation(found):
        return f"KServe has not taken {CLASS}: {annotation(found)} of {service} over"
    for path, uid in old:
        ask("DELETE", path, {"preconditions": {"uid": uid}})
        sys.stdout.write(f"deleted {path}\n")
    return f"the autoscaler of {service} was there a moment ago"


deadline = time.monotonic() + float(os.environ["TIMEOUT_SECONDS"])
settled = time.monotonic() + SETTLED_SECONDS
while True:
    try:
        left = [reason for reason in map(tidy, os.environ["SERVICES"].split(",")) if reason]
    except (OSError, http.client.HTTPException) as error:
        left = [repr(error)]
    if left:
        settled = time.monotonic() + SETTLED_SECONDS
        if time.monotonic() > deadline:
            sys.exit(f"{'; '.join(left)}; when it has, delete the old autoscalers: {os.environ['COMMAND']}")
    elif time.monotonic() > settled:
        break
    time.sleep(0.5)
