"""What whoever runs `endcap serve` in a test sets: free ports for all its parts, and deadlines that a busy machine does not miss."""

SERVING_PORTS = (
    "ENDCAP_SERVING__HTTP_PORT",
    "ENDCAP_SERVING__GRPC_PORT",
    "ENDCAP_MODEL_SERVER__PORT",
    "ENDCAP_MILVUS__PORT",
    "ENDCAP_COLLECTOR__PORT",
    "ENDCAP_STREAM__PORT",
)
UNHURRIED = {
    f"ENDCAP_SERVING__{name}": "5000" for name in ("REQUEST_BUDGET_MS", "FEATURES_TIMEOUT_MS", "RETRIEVAL_TIMEOUT_MS", "RANK_TIMEOUT_MS")
}
"""Deadlines are not what these tests are about: a busy machine must not change the answers."""
