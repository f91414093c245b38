{{/* Names of objects. None is cut: what is too long is refused by `endcap.nameChecks`. */}}
{{- define "endcap.name" -}}
{{- default .Chart.Name .Values.nameOverride -}}
{{- end -}}

{{- define "endcap.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains (include "endcap.name" .) .Release.Name -}}
{{- .Release.Name -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "endcap.name" .) -}}
{{- end -}}
{{- end -}}

{{- define "endcap.runtimeName" -}}{{ include "endcap.fullname" . }}-tensorflow-serving{{- end -}}
{{- define "endcap.rulesName" -}}{{ include "endcap.fullname" . }}-rules{{- end -}}
{{- define "endcap.modelServerConfigName" -}}{{ include "endcap.fullname" . }}-model-server{{- end -}}
{{- define "endcap.rolloutDefaultsName" -}}{{ include "endcap.fullname" . }}-rollout-defaults{{- end -}}
{{- define "endcap.settingsName" -}}{{ include "endcap.fullname" . }}-settings{{- end -}}
{{- define "endcap.operatorName" -}}{{ include "endcap.fullname" . }}-rollout-operator{{- end -}}
{{- define "endcap.redisName" -}}{{ include "endcap.fullname" . }}-redis{{- end -}}
{{- define "endcap.sparkName" -}}{{ include "endcap.fullname" . }}-features{{- end -}}
{{- define "endcap.sparkAccount" -}}{{ include "endcap.sparkName" . }}{{- end -}}
{{- define "endcap.servingAccount" -}}{{ include "endcap.fullname" . }}-serving{{- end -}}
{{- define "endcap.pipelineAccount" -}}
{{- .Values.pipelines.serviceAccountName | default (printf "%s-pipeline" (include "endcap.fullname" .)) -}}
{{- end -}}
{{- define "endcap.pipelineNamespace" -}}{{ .Values.pipelines.namespace | default .Release.Namespace }}{{- end -}}
{{- define "endcap.gatewayName" -}}{{ .Values.route.gateway.name | default (include "endcap.fullname" .) }}{{- end -}}
{{/* Host names of all routes, as a JSON list. */}}
{{- define "endcap.hostnames" -}}
{{- $hosts := list -}}
{{- if .Values.serving.enabled }}{{ $hosts = concat $hosts .Values.route.hostnames }}{{ end -}}
{{- if and .Values.collector.enabled .Values.collector.route.enabled }}{{ $hosts = concat $hosts (.Values.collector.route.hostnames | default .Values.route.hostnames) }}{{ end -}}
{{- $hosts | uniq | toJson -}}
{{- end -}}

{{/* Whether there is a route at all, which a gateway and a certificate are for. */}}
{{- define "endcap.hasRoute" -}}
{{- if or (and .Values.serving.enabled .Values.route.enabled) (and .Values.collector.enabled .Values.collector.route.enabled) -}}true{{- end -}}
{{- end -}}

{{- define "endcap.certificateSecret" -}}{{ .Values.certificate.secretName | default (printf "%s-tls" (include "endcap.fullname" .)) }}{{- end -}}
{{- define "endcap.bundlesClaim" -}}{{ .Values.bundles.claim.name | default (printf "%s-bundles" (include "endcap.fullname" .)) }}{{- end -}}
{{- define "endcap.workspaceClaim" -}}{{ .Values.workspace.claim.name | default (printf "%s-workspace" (include "endcap.fullname" .)) }}{{- end -}}
{{/* The claim of live changes; empty when there is none. */}}
{{- define "endcap.liveClaim" -}}
{{- if .Values.serving.live.claimName -}}
{{- .Values.serving.live.claimName -}}
{{- else if or .Values.evidence.enabled .Values.stream.enabled -}}
{{- .Values.evidence.claim.name | default (printf "%s-live" (include "endcap.fullname" .)) -}}
{{- end -}}
{{- end -}}
{{- define "endcap.kafkaName" -}}{{ ternary (include "endcap.fullname" .) .Values.kafka.topics.clusterName .Values.kafka.enabled }}{{- end -}}

{{/* Whether bundles lie on the claim. */}}
{{- define "endcap.usesClaim" -}}{{- if not .Values.bundles.storageUri -}}true{{- end -}}{{- end -}}

{{- define "endcap.storageUri" -}}
{{- .Values.bundles.storageUri | default (printf "pvc://%s" (include "endcap.bundlesClaim" .)) | trimSuffix "/" -}}
{{- end -}}

{{- define "endcap.milvusHost" -}}
{{- if .Values.milvus.enabled -}}
{{- include "endcap.fullname" . }}-milvus{{ with .Values.parts.namespace }}.{{ . }}.svc{{ end }}
{{- else -}}
{{- required "milvus.host: give the host of a Milvus, or let milvus-operator make one with milvus.enabled" .Values.milvus.host -}}
{{- end -}}
{{- end -}}

{{- define "endcap.redisAddress" -}}
{{- if .Values.redis.enabled -}}
{{- include "endcap.redisName" . }}:6379
{{- else -}}
{{- required "redis.host: give the host of a Redis, or run one with redis.enabled" .Values.redis.host }}:{{ .Values.redis.port }}
{{- end -}}
{{- end -}}

{{- define "endcap.kafkaBootstrap" -}}
{{- if .Values.kafka.enabled -}}
{{- include "endcap.fullname" . }}-kafka-bootstrap:9092
{{- else -}}
{{- .Values.kafka.bootstrap -}}
{{- end -}}
{{- end -}}

{{/* Names of topics end as endcap/contracts/topics.py says. */}}
{{- define "endcap.eventsTopic" -}}{{ include "endcap.fullname" . }}.events.v1{{- end -}}
{{- define "endcap.impressionsTopic" -}}{{ include "endcap.fullname" . }}.impressions.v1{{- end -}}

{{/* Where serving writes impressions. */}}
{{- define "endcap.impressionTopic" -}}
{{- .Values.kafka.topic | default (include "endcap.impressionsTopic" .) -}}
{{- end -}}

{{/* Topics of releases that had no collector. */}}
{{- define "endcap.formerTopic" -}}{{ include "endcap.fullname" . }}-events{{- end -}}
{{- define "endcap.formerDeadLetterTopic" -}}{{ include "endcap.formerTopic" . }}-dead-letter{{- end -}}

{{- define "endcap.collectorName" -}}{{ include "endcap.fullname" . }}-collector{{- end -}}
