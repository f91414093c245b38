{{/* Values that contradict each other, which a schema cannot see. */}}
{{- define "endcap.checks" -}}
{{- include "endcap.nameChecks" . -}}
{{- include "endcap.livingReleaseChecks" . -}}
{{- $termination := .Values.serving.termination -}}
{{- $drain := .Values.serving.resilience -}}
{{- $needed := addf $termination.preStopSeconds $drain.unreadySeconds $drain.drainSeconds $termination.marginSeconds -}}
{{- if lt (float64 $termination.graceSeconds) $needed -}}
{{- fail (printf "serving.termination.graceSeconds: %v is too short; preStopSeconds, unreadySeconds, drainSeconds and marginSeconds need %v" $termination.graceSeconds $needed) -}}
{{- end -}}
{{- if and (eq .Values.serving.deploymentMode "Knative") (lt (float64 .Values.serving.timeoutSeconds) (addf $drain.unreadySeconds $drain.drainSeconds $termination.marginSeconds)) -}}
{{- fail (printf "serving.timeoutSeconds: %v is too short; in Knative mode it is also the time a pod has to drain" .Values.serving.timeoutSeconds) -}}
{{- end -}}
{{- if gt (int .Values.serving.replicas.min) (int .Values.serving.replicas.max) -}}
{{- fail "serving.replicas: min is larger than max" -}}
{{- end -}}
{{- if and .Values.experiments.variants (ne .Values.serving.deploymentMode "Standard") -}}
{{- fail "experiments.variants: variants need serving.deploymentMode Standard" -}}
{{- end -}}
{{- if and .Values.experiments.variants (not .Values.route.enabled) -}}
{{- fail "experiments.variants: variants are chosen by the route; switch on route.enabled" -}}
{{- end -}}
{{- if and .Values.serving.knative.canaryTrafficPercent (ne .Values.serving.deploymentMode "Knative") -}}
{{- fail "serving.knative.canaryTrafficPercent: KServe ignores it in Standard mode, where the route's weights take its place" -}}
{{- end -}}
{{- if and .Values.certificate.enabled (not (fromJsonArray (include "endcap.hostnames" .))) -}}
{{- fail "certificate.enabled: a certificate needs route.hostnames" -}}
{{- end -}}
{{- $names := list }}{{ range .Values.pipelines.secretEnv }}{{ $names = append $names .env }}{{ end -}}
{{- if and .Values.pipelines.enabled .Values.redis.auth.secretName (not .Values.redis.address.secretName) (not (has "FEAST_REDIS" $names)) -}}
{{- fail "redis.address.secretName: pipeline steps need the whole address of a Redis that asks clients for something" -}}
{{- end -}}
{{- if and .Values.evidence.enabled (not (include "endcap.kafkaBootstrap" .)) -}}
{{- fail "evidence.enabled: events come from Kafka; give kafka.bootstrap, or make one with kafka.enabled" -}}
{{- end -}}
{{- if and .Values.redis.enabled (not .Values.redis.auth.secretName) -}}
{{- fail "redis.auth.secretName: name the secret with what the Redis run here asks clients for" -}}
{{- end -}}
{{- include "endcap.collectorChecks" . -}}
{{- include "endcap.streamChecks" . -}}
{{- include "endcap.topicChecks" . -}}
{{- include "endcap.schemaChecks" . -}}
{{- include "endcap.outcomeStepChecks" . -}}
{{- include "endcap.storageChecks" . -}}
{{- end -}}
