{{/* The stream: one process or a driver with executors, of which one at a time writes. */}}
{{- define "endcap.streamName" -}}{{ include "endcap.fullname" . }}-stream{{- end -}}
{{- define "endcap.streamClaim" -}}{{ .Values.stream.claim.name | default (include "endcap.streamName" .) }}{{- end -}}
{{- define "endcap.streamSecret" -}}{{ .Values.stream.secretName | default .Values.collector.secretName }}{{- end -}}
{{- define "endcap.servedName" -}}{{ include "endcap.fullname" . }}-served{{- end -}}

{{/* The runner, where the stream is enabled. */}}
{{- define "endcap.streamRunner" -}}{{- if .Values.stream.enabled -}}{{ .Values.stream.runner }}{{- end -}}{{- end -}}

{{/* The key of the pointer to the served bundle: the operator's own, or what the values name. */}}
{{- define "endcap.servedKey" -}}
{{- ternary "served.json" "values.json" (and .Values.rollouts.operator.enabled .Values.serving.enabled) -}}
{{- end -}}

{{/* Where the served bundle's tables are, as the stream opens it; empty where it opens none of the addresses. */}}
{{- define "endcap.streamBundles" -}}
{{- $uri := include "endcap.storageUri" . -}}
{{- if hasPrefix "pvc://" $uri -}}
/mnt/bundles
{{- else if contains "://" .Values.bundles.store -}}
{{- .Values.bundles.store -}}
{{- else if regexMatch "^(s3|gs|hdfs)://" $uri -}}
{{- $uri -}}
{{- end -}}
{{- end -}}

{{/* Settings of the stream, whatever runs it, as a map. */}}
{{- define "endcap.streamSettings" -}}
ENDCAP_HOME: /var/lib/endcap
ENDCAP_FEATURE_REPO_DIR: /opt/endcap/feature_repo
ENDCAP_SERVING__LIVE_DIR: /mnt/live
ENDCAP_STREAM__HOST: 0.0.0.0
ENDCAP_STREAM__PORT: "8091"
ENDCAP_STREAM__KAFKA_GROUP: {{ include "endcap.streamName" . }}
ENDCAP_OUTCOMES__LIST_MINUTES: {{ .Values.outcomes.listMinutes | quote }}
ENDCAP_COLLECTOR__DEAD_LETTER_KEY_FILE: /etc/endcap/stream/dead-letters.key
ENDCAP_ROLLOUTS__BUNDLE_STORE: {{ include "endcap.streamBundles" . }}
ENDCAP_ROLLOUTS__SERVED_FILE: /etc/endcap/served/{{ include "endcap.servedKey" . }}
{{ include "endcap.customTypesSettings" . }}
{{ include "endcap.impressionSettings" . }}
{{- end -}}

{{/* All its variables. Ids of people come hashed from the collector: it needs no key of them. */}}
{{- define "endcap.streamEnv" -}}
{{- $base := omit (fromYaml (include "endcap.baseSettings" .)) "ENDCAP_PERSON_IDS__HASHED" "ENDCAP_PERSON_IDS__KEY_FILE" -}}
{{- $own := fromYaml (include "endcap.streamSettings" .) -}}
{{- if eq .Values.stream.runner "spark" }}{{ $_ := set $own "POLARS_MAX_THREADS" "1" }}{{ end -}}
{{- include "endcap.env" (mergeOverwrite $base $own (deepCopy .Values.stream.env)) | trim }}
{{ include "endcap.feastEnv" . | trim }}
{{- with include "endcap.secretEnv" .Values.stream.secretEnv }}
{{ . | trim }}
{{- end }}
{{- end -}}

{{/* Secrets that are files, of every pod of the stream. */}}
{{- define "endcap.streamSecrets" -}}
{{- list "kafka" "redis" | toJson -}}
{{- end -}}

{{/* What every pod of it mounts: the pointer, bundles where they lie on a claim, secrets. */}}
{{- define "endcap.streamSharedMounts" -}}
- name: tmp
  mountPath: /tmp
- name: served # a folder, so that it changes while a pod runs
  mountPath: /etc/endcap/served
  readOnly: true
{{- if hasPrefix "pvc://" (include "endcap.storageUri" .) }}
- name: bundles
  mountPath: /mnt/bundles
  {{- with include "endcap.bundlesFolder" . }}
  subPath: {{ . }}
  {{- end }}
  readOnly: true
{{- end }}
{{- with include "endcap.secretMounts" (dict "root" . "parts" (fromJsonArray (include "endcap.streamSecrets" .))) }}
{{ . | trim }}
{{- end }}
{{- end -}}

{{/* What the one pod mounts that writes: home, live folder, the key of dead letters. */}}
{{- define "endcap.streamWriterMounts" -}}
- name: home
  mountPath: /var/lib/endcap
- name: live
  mountPath: /mnt/live
  subPath: live
- name: dead-letter-key
  mountPath: /etc/endcap/stream
  readOnly: true
{{- with include "endcap.customTypesMount" . }}
{{ . | trim }}
{{- end }}
{{- end -}}

{{- define "endcap.streamVolumes" -}}
- name: tmp
  emptyDir: {}
- name: home
  persistentVolumeClaim:
    claimName: {{ include "endcap.streamClaim" . }}
- name: live
  persistentVolumeClaim:
    claimName: {{ include "endcap.liveClaim" . }}
- name: dead-letter-key
  secret:
    secretName: {{ include "endcap.streamSecret" . }}
    items:
      - key: dead-letters.key
        path: dead-letters.key
- name: served
  configMap:
    name: {{ include "endcap.servedName" . }}
{{- with include "endcap.customTypesVolume" . }}
{{ . | trim }}
{{- end }}
{{- if hasPrefix "pvc://" (include "endcap.storageUri" .) }}
- name: bundles
  persistentVolumeClaim:
    claimName: {{ include "endcap.bundlesVolume" . }}
    readOnly: true
{{- end }}
{{- with include "endcap.secretVolumes" (dict "root" . "parts" (fromJsonArray (include "endcap.streamSecrets" .))) }}
{{ . | trim }}
{{- end }}
{{- end -}}

{{/* Claim, and folder on it, of an address pvc://claim/folder. */}}
{{- define "endcap.bundlesVolume" -}}{{ include "endcap.storageUri" . | trimPrefix "pvc://" | splitList "/" | first }}{{- end -}}
{{- define "endcap.bundlesFolder" -}}{{ include "endcap.storageUri" . | trimPrefix "pvc://" | splitList "/" | rest | join "/" }}{{- end -}}

{{/* Ports that its pods reach, as JSON. */}}
{{- define "endcap.streamPorts" -}}
{{- $ports := list (ternary 6379 (.Values.redis.port | int) .Values.redis.enabled) (.Values.feast.registry.port | int) -}}
{{- range fromJsonArray (include "endcap.kafkaPorts" .) }}{{ $ports = append $ports (int .) }}{{ end -}}
{{- if .Values.networkPolicies.objectStorage }}{{ $ports = append $ports 443 }}{{ end -}}
{{- if eq .Values.stream.runner "spark" }}{{ range .Values.networkPolicies.apiServerPorts }}{{ $ports = append $ports (int .) }}{{ end }}{{ end -}}
{{- $ports | uniq | toJson -}}
{{- end -}}

{{- define "endcap.streamPlacement" -}}
{{- $stream := .Values.stream -}}
{{- with $stream.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $stream.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $stream.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}
