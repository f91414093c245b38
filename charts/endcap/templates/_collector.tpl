{{/* Settings of the collector, as a map. */}}
{{- define "endcap.collectorSettings" -}}
ENDCAP_HOME: /var/lib/endcap
ENDCAP_COLLECTOR__HOST: 0.0.0.0
ENDCAP_COLLECTOR__PORT: "8090"
ENDCAP_COLLECTOR__KEYS_FILE: /etc/endcap/collector/keys.yaml
ENDCAP_COLLECTOR__DEAD_LETTER_KEY_FILE: /etc/endcap/collector/dead-letters.key
ENDCAP_COLLECTOR__PIXEL_KEY_FILE: /etc/endcap/collector/pixel.key
ENDCAP_COLLECTOR__SPOOL_BYTES_MAX: {{ include "endcap.bytes" (toString .Values.collector.spool.waitingMax) | quote }}
{{- with .Values.collector.allowedOrigins }}
ENDCAP_COLLECTOR__ALLOWED_ORIGINS: {{ toJson . | quote }}
{{- end }}
{{ include "endcap.customTypesSettings" . }}
{{ include "endcap.kafkaSettings" . }}
{{ include "endcap.schemaSettings" . }}
{{- end -}}

{{/* What the collector's pods mount beside their volume, of the secrets that are files. */}}
{{- define "endcap.collectorSecrets" -}}
{{- list "kafka" "person-ids" "schemas" | toJson -}}
{{- end -}}

{{- define "endcap.collectorChecks" -}}
{{- $collector := .Values.collector -}}
{{- if $collector.enabled -}}
{{- if not (include "endcap.kafkaBootstrap" .) -}}
{{- fail "collector.enabled: events go on to Kafka; give kafka.bootstrap, or make one with kafka.enabled" -}}
{{- end -}}
{{- if not $collector.secretName -}}
{{- fail "collector.secretName: name the secret with keys.yaml, dead-letters.key and pixel.key" -}}
{{- end -}}
{{- if gt (int $collector.replicas.min) (int $collector.replicas.max) -}}
{{- fail "collector.replicas: min is larger than max" -}}
{{- end -}}
{{- $termination := $collector.termination -}}
{{- $needed := add $termination.preStopSeconds $termination.drainSeconds 20 -}}
{{- if lt (int $termination.graceSeconds) (int $needed) -}}
{{- fail (printf "collector.termination.graceSeconds: %v is too short; preStopSeconds, drainSeconds and 20 for requests and what is under way need %d" $termination.graceSeconds $needed) -}}
{{- end -}}
{{- $size := include "endcap.bytes" (toString $collector.spool.size) | float64 -}}
{{- if lt $size (mulf 2 (include "endcap.bytes" (toString $collector.spool.waitingMax) | float64)) -}}
{{- fail (printf "collector.spool.size: %v is too small; beside what waits (waitingMax, %v) the volume holds what came in the last hour and dead letters: give at least twice as much" $collector.spool.size $collector.spool.waitingMax) -}}
{{- end -}}
{{- include "endcap.storageClassCheck" (dict "root" . "key" "collector.spool.storageClassName" "class" $collector.spool.storageClassName) -}}
{{- else if $collector.route.enabled -}}
{{- fail "collector.route.enabled: there is no collector to make a route to; switch on collector.enabled" -}}
{{- end -}}
{{- end -}}

{{/* A volume without a class is made by the cluster's default one: whether there is one is seen in a cluster only, by somebody who may list
classes, so it is looked for at the first installation alone. Call with (dict "root" $ "key" KEY "class" NAME). */}}
{{- define "endcap.storageClassCheck" -}}
{{- if and .root.Release.IsInstall (not .class) -}}
{{- $found := (lookup "storage.k8s.io/v1" "StorageClass" "" "").items | default list -}}
{{- $default := false -}}
{{- range $found -}}
{{- $annotations := .metadata.annotations | default dict -}}
{{- if eq (get $annotations "storageclass.kubernetes.io/is-default-class") "true" }}{{ $default = true }}{{ end -}}
{{- end -}}
{{- if and $found (not $default) -}}
{{- fail (printf "%s: the cluster has no default storage class, so that no volume would be made; name one of `kubectl get storageclass`" .key) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* On which nodes collectors run. */}}
{{- define "endcap.collectorPlacement" -}}
{{- $collector := .Values.collector -}}
{{- with $collector.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $collector.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $collector.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $collector.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if $collector.topologySpread.enabled }}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: {{ $collector.topologySpread.whenUnsatisfiable }}
    labelSelector:
      matchLabels:
        {{- include "endcap.selectorLabels" (dict "root" $ "component" "collector") | nindent 8 }}
  {{- end }}
{{- end }}
{{- end -}}
