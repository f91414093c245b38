{{/* Values of the stream that render and cannot work. */}}
{{- define "endcap.streamChecks" -}}
{{- if .Values.stream.enabled -}}
{{- if not (include "endcap.kafkaBootstrap" .) -}}
{{- fail "stream.enabled: it reads events from Kafka; give kafka.bootstrap, or make one with kafka.enabled" -}}
{{- end -}}
{{- if not (include "endcap.streamSecret" .) -}}
{{- fail "stream.secretName: name the secret with dead-letters.key, unless collector.secretName is given" -}}
{{- end -}}
{{- if not (include "endcap.streamBundles" .) -}}
{{- fail (printf "bundles.store: bundles are served from %s, which the stream does not open; give the address of the same bundles that begins with s3://, gs:// or hdfs://" (include "endcap.storageUri" .)) -}}
{{- end -}}
{{- if eq .Values.stream.runner "spark" }}{{ include "endcap.streamSparkChecks" . }}{{ end -}}
{{- end -}}
{{- end -}}

{{- define "endcap.streamSparkChecks" -}}
{{- $spark := .Values.stream.spark -}}
{{- if and (include "endcap.streamSparkOnClaim" .) (ne $spark.claim.accessMode "ReadWriteMany") -}}
{{- fail (printf "stream.spark.claim.accessMode: driver and executors are on several nodes, and %s is one node's; use ReadWriteMany, or give stream.spark.checkpoint and stream.spark.state" $spark.claim.accessMode) -}}
{{- end -}}
{{- if and (include "endcap.usesClaim" .) (eq .Values.bundles.claim.accessMode "ReadWriteOnce") -}}
{{- fail "bundles.claim.accessMode: executors of the stream read bundles on several nodes, and ReadWriteOnce is one node's; use ReadWriteMany, or stream.runner process" -}}
{{- end -}}
{{- $onStorage := or $spark.checkpoint $spark.state -}}
{{- if and $onStorage .Values.networkPolicies.enabled (not .Values.networkPolicies.objectStorage) (not .Values.networkPolicies.extraEgress) -}}
{{- fail (printf "networkPolicies.objectStorage: the stream keeps its state at %s, and no network policy lets that out; set it to true (HTTPS, port 443), or give networkPolicies.extraEgress" $onStorage) -}}
{{- end -}}
{{- /* Rendered without a cluster nothing is known of its kinds; in a cluster each namespace has this account. */ -}}
{{- if and (lookup "v1" "ServiceAccount" .Release.Namespace "default") (not (.Capabilities.APIVersions.Has "sparkoperator.k8s.io/v1beta2")) -}}
{{- fail "stream.runner: spark needs the Spark operator, and the cluster knows no SparkApplication; install the operator, or use stream.runner process" -}}
{{- end -}}
{{- end -}}
