"""What a secret holds, for asking a store as the release would; it is never shown."""

import base64
from typing import Any

from endcap.doctor.cluster import Cluster, NotAllowed


def secret_text(cluster: Cluster, namespace: str, name: Any, key: Any) -> str | None:
    """One key of a secret; None when no secret is named, it is not there, or the caller may not read it.

    Whether it is there is for the checks of secrets to say.
    """
    if not name or not key:
        return None
    try:
        found = cluster.get(f"/api/v1/namespaces/{namespace}/secrets/{name}")
    except NotAllowed:
        found = None
    text = ((found or {}).get("data") or {}).get(str(key))
    return base64.b64decode(text).decode("utf-8", "replace").strip() if text else None
