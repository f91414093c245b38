"""What `helm uninstall` leaves of each profile: what holds data or serves others, as `Inventory` names it."""

from endcap.contracts.topics import TOPICS

DEFINITION = "customresourcedefinitions.apiextensions.k8s.io/rollouts.endcap.dev"
CLAIMS = {
    "bundles": "persistentvolumeclaims/endcap-bundles",
    "workspace": "persistentvolumeclaims/endcap-workspace",
    "evidence": "persistentvolumeclaims/endcap-live",
    "redis": "persistentvolumeclaims/data-endcap-redis-0",
    "collector": "persistentvolumeclaims/data-endcap-collector-0",
    "stream": "persistentvolumeclaims/endcap-stream",
}
KAFKA = {
    "kafkas.kafka.strimzi.io/endcap",
    "kafkanodepools.kafka.strimzi.io/endcap-brokers",
    *(f"kafkatopics.kafka.strimzi.io/{topic.named('endcap')}" for topic in TOPICS),
}
KEPT: dict[str, set[str]] = {
    "minimal": {CLAIMS["bundles"]},
    "production": {*CLAIMS.values(), *KAFKA},
    "gpu": {CLAIMS["bundles"], CLAIMS["workspace"]},
    "multi-region": set(),
}
"""In the release's namespace; the definition of Rollout stays too, where the release brought it. No operators run here, so what stays of
etcd and MinIO is said in the Milvus alone."""
FREED = (
    "bundles.claim.keep=false",
    "collector.spool.keep=false",
    "crds.keep=false",
    "evidence.claim.keep=false",
    "kafka.keep=false",
    "milvus.keep=false",
    "redis.persistence.keep=false",
    "stream.claim.keep=false",
    "workspace.claim.keep=false",
)
"""Values with which an uninstall takes all of it."""
