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
{{- $tls := ternary ",ssl=true" "" (and .Values.redis.tls (not .Values.redis.enabled)) }}
{{- if .Values.redis.auth.secretName }}
- name: REDIS_AUTH
  valueFrom:
    secretKeyRef:
      name: {{ .Values.redis.auth.secretName }}
      key: {{ .Values.redis.auth.key }}
- name: FEAST_REDIS
  value: {{ printf "%s,password=$(REDIS_AUTH)%s" (include "endcap.redisAddress" .) $tls | quote }}
{{- else }}
- name: FEAST_REDIS
  value: {{ printf "%s%s" (include "endcap.redisAddress" .) $tls | quote }}
{{- end }}
- name: FEAST_SPARK_MASTER
  value: {{ .Values.feast.sparkMaster | quote }}
- name: FEAST_WAREHOUSE
  value: {{ .Values.feast.warehouse | quote }}
{{- end -}}

{{/* Settings that every part of a release shares, as a map. */}}
{{- define "endcap.sharedSettings" -}}
ENDCAP_PROFILE: cluster
ENDCAP_LOG_FORMAT: json
ENDCAP_LOG_LEVEL: {{ .Values.settings.logLevel }}
ENDCAP_MILVUS__HOST: {{ include "endcap.milvusHost" . }}
ENDCAP_MILVUS__PORT: {{ ternary 19530 (.Values.milvus.port | int) .Values.milvus.enabled | quote }}
ENDCAP_MILVUS__MANAGED: "false"
{{- if .Values.milvus.tls }}
ENDCAP_MILVUS__TLS: "true"
{{- end }}
{{- if .Values.milvus.caSecretName }}
ENDCAP_MILVUS__CA_FILE: /etc/endcap/milvus/ca.crt
{{- end }}
{{- with .Values.settings.env }}
{{ toYaml . }}
{{- end }}
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

{{/* Secrets that are read as files, as volumes and where they are mounted. */}}
{{- define "endcap.milvusVolume" -}}
{{- with .Values.milvus.caSecretName }}
- name: milvus-ca
  secret:
    secretName: {{ . }}
{{- end }}
{{- end -}}

{{- define "endcap.milvusMount" -}}
{{- if .Values.milvus.caSecretName }}
- name: milvus-ca
  mountPath: /etc/endcap/milvus
  readOnly: true
{{- end }}
{{- end -}}

{{- define "endcap.kafkaVolume" -}}
{{- with .Values.kafka.clientConfig }}
{{- if .secretName }}
- name: kafka-client
  secret:
    secretName: {{ .secretName }}
    items:
      - key: {{ .key }}
        path: client.properties
{{- end }}
{{- end }}
{{- end -}}

{{- define "endcap.kafkaMount" -}}
{{- if .Values.kafka.clientConfig.secretName }}
- name: kafka-client
  mountPath: /etc/endcap/kafka
  readOnly: true
{{- end }}
{{- end -}}
