"""A release of the chart: the names of its objects and the addresses it uses, as the chart's templates derive them."""

from dataclasses import dataclass

from endcap.doctor.values import Values


@dataclass(frozen=True)
class Release:
    """One release in one namespace, by its merged values."""

    namespace: str
    name: str
    chart_name: str
    values: Values

    @property
    def fullname(self) -> str:
        if override := self.values["fullnameOverride"]:
            return str(override)
        chart = str(self.values["nameOverride"] or self.chart_name)
        return self.name if chart in self.name else f"{self.name}-{chart}"

    @property
    def is_standard(self) -> bool:
        return bool(self.values["serving.deploymentMode"] == "Standard")

    def runs_any(self, *parts: str) -> bool:
        """Whether one of the parts is enabled."""
        return any(self.values[f"{part}.enabled"] for part in parts)

    @property
    def monitors(self) -> list[str]:
        """What it has for the Prometheus operator, as the values below `monitoring` call it."""
        values = self.values
        wanted = {
            "podMonitor": self.runs_any("serving", "collector", "stream") and values["monitoring.podMonitor.enabled"],
            "serviceMonitor": values["rollouts.operator.enabled"] and values["monitoring.serviceMonitor.enabled"],
            "prometheusRule": values["monitoring.prometheusRule.enabled"],
        }
        return [name for name, is_wanted in wanted.items() if is_wanted]

    @property
    def storage_uri(self) -> str:
        return str(self.values["bundles.storageUri"] or f"pvc://{self.bundles_claim}").rstrip("/")

    @property
    def uses_claim(self) -> bool:
        return not self.values["bundles.storageUri"]

    @property
    def bundles_claim(self) -> str:
        return str(self.values["bundles.claim.name"] or f"{self.fullname}-bundles")

    @property
    def workspace_claim(self) -> str:
        return str(self.values["workspace.claim.name"] or f"{self.fullname}-workspace")

    @property
    def live_claim(self) -> str:
        """Empty when serving pods mount none."""
        if self.values["serving.live.claimName"]:
            return str(self.values["serving.live.claimName"])
        has_writer = self.values["evidence.enabled"] or self.values["stream.enabled"]
        return str(self.values["evidence.claim.name"] or f"{self.fullname}-live") if has_writer else ""

    @property
    def stream_runner(self) -> str:
        """`process`, `spark`, or empty where no stream runs."""
        return str(self.values["stream.runner"]) if self.values["stream.enabled"] else ""

    @property
    def stream_account(self) -> str:
        return f"{self.fullname}-stream"

    @property
    def stream_claim(self) -> str:
        """Of state, outcomes and dead letters."""
        return str(self.values["stream.claim.name"] or f"{self.fullname}-stream")

    @property
    def stream_spark_claim(self) -> str:
        """Of what driver and executors share; empty where that is in object storage, or nothing runs on Spark."""
        values = self.values
        if self.stream_runner != "spark" or (values["stream.spark.checkpoint"] and values["stream.spark.state"]):
            return ""
        return str(values["stream.spark.claim.name"] or f"{self.fullname}-stream-spark")

    @property
    def stream_secret(self) -> str:
        """With the key of dead letters."""
        return str(self.values["stream.secretName"] or self.values["collector.secretName"] or "")

    @property
    def parts_namespace(self) -> str:
        """Where the Milvus and the FeatureStore made for the release are."""
        return str(self.values["parts.namespace"] or self.namespace)

    @property
    def pipeline_namespace(self) -> str:
        return str(self.values["pipelines.namespace"] or self.namespace)

    @property
    def pipeline_account(self) -> str:
        return str(self.values["pipelines.serviceAccountName"] or f"{self.fullname}-pipeline")

    @property
    def schedule_kind(self) -> str:
        """What starts scheduled training: `recurringRun`, `cronJob`, or `removal` of an earlier recurring run; empty for nothing."""
        values = self.values
        if not values["pipelines.enabled"]:
            return ""
        if values["pipelines.schedule.enabled"]:
            return str(values["pipelines.schedule.by"] or "")
        return "removal" if values["pipelines.host"] and values["hooks.enabled"] else ""

    @property
    def schedule_account(self) -> str:
        return f"{self.fullname}-schedule"

    @property
    def operator_account(self) -> str:
        return f"{self.fullname}-rollout-operator"

    @property
    def spark_account(self) -> str:
        return f"{self.fullname}-features"

    @property
    def kafka_cluster(self) -> str:
        """The Strimzi cluster that topics are made in; empty for none."""
        return self.fullname if self.values["kafka.enabled"] else str(self.values["kafka.topics.clusterName"] or "")

    @property
    def makes_topics(self) -> bool:
        return bool(self.values["kafka.topics.enabled"] and self.kafka_cluster)

    @property
    def has_route(self) -> bool:
        """Whether there is anything for a gateway to route to."""
        return self._has_serving_route or self.has_collector_route

    @property
    def has_collector_route(self) -> bool:
        return bool(self.values["collector.enabled"] and self.values["collector.route.enabled"])

    @property
    def makes_serving_route(self) -> bool:
        """Whether serving has an HTTPRoute of the chart's; Knative makes its own."""
        return self._has_serving_route and self.is_standard

    @property
    def _has_serving_route(self) -> bool:
        return bool(self.values["serving.enabled"] and self.values["route.enabled"])

    @property
    def scales_with_keda(self) -> bool:
        return bool(self.values["serving.enabled"]) and self.is_standard and self.values["serving.autoscaling.class"] == "keda"
