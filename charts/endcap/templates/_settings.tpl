{{/* Variables of a part. Defaults are a map of names and values; a person's values win over them. */}}
{{- define "endcap.env" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end -}}

{{/* Variables from existing secrets: a list of secretName, key, env. */}}
{{- define "endcap.secretEnv" -}}
{{- range . }}
- name: {{ .env }}
  valueFrom:
    secretKeyRef:
      name: {{ .secretName }}
      key: {{ .key }}
{{- end }}
{{- end -}}

{{/* Feast's addresses. The Redis one is put together by the kubelet, so that what Redis asks for stays in its secret. */}}
{{- define "endcap.feastEnv" -}}
- name: FEAST_REGISTRY
  valueFrom:
    secretKeyRef:
      name: {{ required "feast.registry.secretName: name the secret with the address of Feast's registry" .Values.feast.registry.secretName }}
      key: {{ .Values.feast.registry.key }}
{{- if .Values.redis.address.secretName }}
- name: FEAST_REDIS
  valueFrom:
    secretKeyRef:
      name: {{ .Values.redis.address.secretName }}
      key: {{ .Values.redis.address.key }}
{{- else }}
{{- if .Values.redis.auth.secretName }}
- name: FEAST_REDIS_AUTH
  valueFrom:
    secretKeyRef:
      name: {{ .Values.redis.auth.secretName }}
      key: {{ .Values.redis.auth.key }}
{{- end }}
- name: FEAST_REDIS
  value: {{ include "endcap.redisConnection" . | quote }}
{{- end }}
{{- end -}}

{{/* Redis as Feast names it: values are JSON. */}}
{{- define "endcap.redisConnection" -}}
{{- include "endcap.redisAddress" . -}}
{{- if .Values.redis.auth.secretName }},password="$(FEAST_REDIS_AUTH)"{{ end -}}
{{- if and .Values.redis.tls (not .Values.redis.enabled) }},ssl=true{{ if .Values.redis.caSecretName }},ssl_ca_certs="/etc/endcap/redis/ca.crt"{{ end }}{{ end -}}
{{- end -}}

{{/* Settings of every part of a release, as a map. */}}
{{- define "endcap.baseSettings" -}}
ENDCAP_PROFILE: cluster
ENDCAP_LOG_FORMAT: json
ENDCAP_LOG_LEVEL: {{ .Values.settings.logLevel }}
{{- if .Values.personIds.secretName }}
ENDCAP_PERSON_IDS__HASHED: "true"
ENDCAP_PERSON_IDS__KEY_FILE: /etc/endcap/person-ids/person-ids.key
{{- end }}
{{- with .Values.settings.env }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Settings of parts that know of Milvus too, as a map. */}}
{{- define "endcap.sharedSettings" -}}
ENDCAP_MILVUS__HOST: {{ include "endcap.milvusHost" . }}
ENDCAP_MILVUS__PORT: {{ ternary 19530 (.Values.milvus.port | int) .Values.milvus.enabled | quote }}
ENDCAP_MILVUS__MANAGED: "false"
{{- if .Values.milvus.tls }}
ENDCAP_MILVUS__TLS: "true"
{{- end }}
{{- if .Values.milvus.caSecretName }}
ENDCAP_MILVUS__CA_FILE: /etc/endcap/milvus/ca.crt
{{- end }}
{{ include "endcap.baseSettings" . }}
{{- end -}}

{{/* What Milvus asks clients for. */}}
{{- define "endcap.milvusAuthEnv" -}}
{{- if .Values.milvus.auth.secretName }}
- name: ENDCAP_MILVUS__TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ .Values.milvus.auth.secretName }}
      key: {{ .Values.milvus.auth.key }}
{{- end }}
{{- end -}}

{{/* Secrets that are read as files: what a part mounts, and where. Call with (dict "root" $ "parts" (list "milvus" ...)). */}}
{{- define "endcap.secretFiles" -}}
{{- $files := dict -}}
{{- with .Values.milvus.caSecretName }}{{ $_ := set $files "milvus" (dict "secretName" . "key" "ca.crt" "path" "ca.crt") }}{{ end -}}
{{- with .Values.redis.caSecretName }}{{ $_ := set $files "redis" (dict "secretName" . "key" "ca.crt" "path" "ca.crt") }}{{ end -}}
{{- with .Values.personIds.secretName }}{{ $_ := set $files "person-ids" (dict "secretName" . "key" "person-ids.key" "path" "person-ids.key") }}{{ end -}}
{{- with .Values.schemaRegistry.caSecretName }}{{ $_ := set $files "schemas" (dict "secretName" . "key" "ca.crt" "path" "ca.crt") }}{{ end -}}
{{- with .Values.kafka.clientConfig }}{{ if .secretName }}{{ $_ := set $files "kafka" (dict "secretName" .secretName "key" .key "path" "client.properties") }}{{ end }}{{ end -}}
{{- toJson $files -}}
{{- end -}}

{{- define "endcap.secretVolumes" -}}
{{- $files := fromJson (include "endcap.secretFiles" .root) -}}
{{- range .parts }}
{{- $part := . }}
{{- with get $files . }}
- name: {{ $part }}-secret
  secret:
    secretName: {{ .secretName }}
    items:
      - key: {{ .key }}
        path: {{ .path }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "endcap.secretMounts" -}}
{{- $files := fromJson (include "endcap.secretFiles" .root) -}}
{{- range .parts }}
{{- if get $files . }}
- name: {{ . }}-secret
  mountPath: /etc/endcap/{{ . }}
  readOnly: true
{{- end }}
{{- end }}
{{- end -}}

{{/* Kafka and its topics, as a map. */}}
{{- define "endcap.kafkaSettings" -}}
{{- with include "endcap.kafkaBootstrap" . -}}
ENDCAP_EVENTS__KAFKA_BOOTSTRAP: {{ . | quote }}
ENDCAP_EVENTS__TOPIC_PREFIX: {{ include "endcap.fullname" $ }}
{{- end }}
{{- if .Values.kafka.clientConfig.secretName }}
ENDCAP_EVENTS__KAFKA_CONFIG_FILE: /etc/endcap/kafka/client.properties
{{- end }}
{{- end -}}

{{/* The same for those who write or read impressions. */}}
{{- define "endcap.impressionSettings" -}}
{{ include "endcap.kafkaSettings" . }}
{{- if include "endcap.kafkaBootstrap" . }}
ENDCAP_EVENTS__KAFKA_TOPIC: {{ include "endcap.impressionTopic" . }}
{{- end }}
{{- end -}}
