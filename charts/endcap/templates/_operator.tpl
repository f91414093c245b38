{{/* Settings of the rollout operator, as a map. */}}
{{- define "endcap.operatorSettings" -}}
ENDCAP_HOME: /var/lib/endcap
ENDCAP_ROLLOUTS__HOST: 0.0.0.0
ENDCAP_ROLLOUTS__HEALTH_PORT: "8080"
ENDCAP_ROLLOUTS__TARGET: {{ include "endcap.fullname" . }}
ENDCAP_ROLLOUTS__PROMETHEUS_URL: {{ .Values.monitoring.prometheusUrl }}
ENDCAP_ROLLOUTS__METRICS_PORT: "9091"
ENDCAP_OUTCOMES__LIST_MINUTES: {{ .Values.outcomes.listMinutes | quote }}
{{- if .Values.rollouts.operator.prometheusMatchers }}
ENDCAP_ROLLOUTS__PROMETHEUS_MATCHERS: {{ .Values.rollouts.operator.prometheusMatchers | quote }}
{{- else if .Values.monitoring.podMonitor.enabled }}
ENDCAP_ROLLOUTS__PROMETHEUS_MATCHERS: {{ printf "namespace=%q" .Release.Namespace | quote }}
{{- end }}
{{- if .Values.stream.enabled }}
ENDCAP_ROLLOUTS__SERVED_CONFIG_MAP: {{ include "endcap.servedName" . }}
{{- end }}
{{- with .Values.mlflow.trackingUri }}
ENDCAP_MLFLOW__TRACKING_URI: {{ . }}
{{- end }}
{{- end -}}

{{/* Settings that pipeline steps take from the release, as a map. */}}
{{- define "endcap.pipelineSettings" -}}
ENDCAP_HOME: {{ .Values.workspace.mountPath }}
ENDCAP_FEATURE_REPO_DIR: /opt/endcap/feature_repo
ENDCAP_ROLLOUTS__TARGET: {{ include "endcap.fullname" . }}
ENDCAP_ROLLOUTS__NAMESPACE: {{ .Release.Namespace }}
ENDCAP_ROLLOUTS__DEFAULTS_FILE: /etc/endcap/rollouts/rollouts.yaml
ENDCAP_OUTCOMES__LIST_MINUTES: {{ .Values.outcomes.listMinutes | quote }}
ENDCAP_ROLLOUTS__STORAGE_URI: {{ include "endcap.storageUri" . }}
ENDCAP_ROLLOUTS__BUNDLE_STORE: {{ .Values.bundles.store | default "/mnt/bundles" }}
{{- with .Values.mlflow.trackingUri }}
ENDCAP_MLFLOW__TRACKING_URI: {{ . }}
{{- end }}
{{- if and (not .Values.redis.address.secretName) (not .Values.redis.auth.secretName) }}
FEAST_REDIS: {{ include "endcap.redisConnection" . | quote }}
{{- end }}
{{- end -}}
