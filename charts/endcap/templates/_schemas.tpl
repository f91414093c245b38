{{/* The schema registry: who asks it, and the Job that registers the schemas. */}}
{{- define "endcap.schemasName" -}}{{ include "endcap.fullname" . }}-schemas{{- end -}}

{{- define "endcap.schemaRegistryName" -}}{{ include "endcap.fullname" . }}-schema-registry{{- end -}}

{{/* Its address; empty for none. */}}
{{- define "endcap.schemaRegistryUrl" -}}
{{- if .Values.schemaRegistry.enabled -}}
http://{{ include "endcap.schemaRegistryName" . }}:8080/apis/ccompat/v7
{{- else -}}
{{- .Values.schemaRegistry.url -}}
{{- end -}}
{{- end -}}

{{/* Its address, as a map. The ids that it gives are kept in the part's home folder. */}}
{{- define "endcap.schemaSettings" -}}
{{- with include "endcap.schemaRegistryUrl" . -}}
ENDCAP_SCHEMAS__REGISTRY_URL: {{ . | quote }}
{{- end }}
{{- if and .Values.schemaRegistry.url .Values.schemaRegistry.caSecretName }}
ENDCAP_SCHEMAS__CA_FILE: /etc/endcap/schemas/ca.crt
{{- end }}
{{- end -}}

{{/* What it asks clients for. */}}
{{- define "endcap.schemaAuthEnv" -}}
{{- $registry := .Values.schemaRegistry -}}
{{- if and $registry.url $registry.auth.secretName -}}
{{- $keys := ternary (dict "TOKEN" "token") (dict "USER" "user" "PASSWORD" "password") (eq $registry.auth.kind "token") -}}
{{- range $variable, $key := $keys }}
- name: ENDCAP_SCHEMAS__{{ $variable }}
  valueFrom:
    secretKeyRef:
      name: {{ $registry.auth.secretName }}
      key: {{ $key }}
{{- end }}
{{- end -}}
{{- end -}}

{{- define "endcap.publishesSchemas" -}}
{{- if and (include "endcap.schemaRegistryUrl" .) .Values.schemaRegistry.publish -}}true{{- end -}}
{{- end -}}

{{/* Whether a hook registers them: a registry that comes with the release is there from the first upgrade on. */}}
{{- define "endcap.schemasAreHook" -}}
{{- if .Values.hooks.enabled -}}
{{- if .Values.schemaRegistry.enabled -}}
{{- $live := lookup "apps/v1" "StatefulSet" .Release.Namespace (include "endcap.schemaRegistryName" .) -}}
{{- if gt (dig "status" "readyReplicas" 0 $live | int) 0 -}}true{{- end -}}
{{- else -}}
true
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
Labels and annotations of what registers the schemas: a hook, so that a schema that would break readers stops an upgrade before a pod writes by it.
Without hooks they are objects like any other. Call with (dict "root" $ "weight" NUMBER).
*/}}
{{- define "endcap.schemasMetadata" -}}
labels:
  {{- include "endcap.labels" (dict "root" .root "component" "schemas") | nindent 2 }}
{{- if include "endcap.schemasAreHook" .root }}
annotations:
  helm.sh/hook: pre-install,pre-upgrade
  helm.sh/hook-weight: {{ .weight | quote }}
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
{{- end -}}

{{- define "endcap.schemasJob" -}}
{{- if include "endcap.schemasAreHook" . -}}
backoffLimit: 2
activeDeadlineSeconds: 240 # less than Helm waits
{{- else -}}
backoffLimit: 8 # a registry of the release starts beside it
activeDeadlineSeconds: 3600
{{- end }}
template:
  metadata:
    labels:
      {{- include "endcap.podLabels" (dict "root" . "component" "schemas") | nindent 6 }}
      sidecar.istio.io/inject: "false" # a sidecar would outlive the command
  spec:
    restartPolicy: Never
    serviceAccountName: {{ include "endcap.schemasName" . }}
    automountServiceAccountToken: false
    enableServiceLinks: false
    securityContext:
      {{- include "endcap.podSecurity" . | nindent 6 }}
    {{- with include "endcap.pullSecrets" . }}{{ . | trim | nindent 4 }}{{ end }}
    containers:
      - name: schemas
        image: {{ include "endcap.image" (dict "root" . "image" .Values.collector.image) }}
        imagePullPolicy: {{ .Values.images.pullPolicy }}
        command: [endcap, schemas, publish]
        env:
          {{- $own := mergeOverwrite (fromYaml (include "endcap.impressionSettings" .)) (fromYaml (include "endcap.schemaSettings" .)) }}
          {{- $own = omit $own "ENDCAP_EVENTS__KAFKA_BOOTSTRAP" "ENDCAP_EVENTS__KAFKA_CONFIG_FILE" }}
          {{- /* nothing waits for it, so a registry that is slow does not stop an upgrade */}}
          {{- $_ := set $own "ENDCAP_SCHEMAS__TIMEOUT_SECONDS" "30" }}
          {{- $base := omit (fromYaml (include "endcap.baseSettings" .)) "ENDCAP_PERSON_IDS__HASHED" "ENDCAP_PERSON_IDS__KEY_FILE" }}
          {{- include "endcap.env" (mergeOverwrite $base $own) | trim | nindent 10 }}
          {{- with include "endcap.schemaAuthEnv" . }}{{ . | trim | nindent 10 }}{{ end }}
        resources:
          requests: {cpu: 100m, memory: 192Mi}
          limits: {cpu: "1", memory: 512Mi}
        securityContext:
          {{- include "endcap.containerSecurity" . | nindent 10 }}
        volumeMounts:
          - name: tmp
            mountPath: /tmp
          {{- with include "endcap.secretMounts" (dict "root" . "parts" (list "schemas")) }}{{ . | trim | nindent 10 }}{{ end }}
    volumes:
      - name: tmp
        emptyDir: {}
      {{- with include "endcap.secretVolumes" (dict "root" . "parts" (list "schemas")) }}{{ . | trim | nindent 6 }}{{ end }}
{{- end -}}

{{- define "endcap.schemaChecks" -}}
{{- $registry := .Values.schemaRegistry -}}
{{- if and $registry.enabled $registry.url -}}
{{- fail (printf "schemaRegistry.url: the release runs a registry itself and %s is another one; take out the address, or set schemaRegistry.enabled to false" $registry.url) -}}
{{- end -}}
{{- if and $registry.enabled (or $registry.auth.secretName $registry.caSecretName) -}}
{{- fail "schemaRegistry.enabled: the registry run here asks clients for nothing and speaks no TLS, and a network policy keeps others away; take out auth.secretName and caSecretName" -}}
{{- end -}}
{{- if and $registry.enabled (not (include "endcap.kafkaBootstrap" .)) -}}
{{- fail "schemaRegistry.enabled: it names the schemas of values in Kafka, and there is no Kafka; give kafka.bootstrap, or make one with kafka.enabled" -}}
{{- end -}}
{{- if and $registry.url (not (include "endcap.kafkaBootstrap" .)) -}}
{{- fail "schemaRegistry.url: it names the schemas of values in Kafka, and there is no Kafka; give kafka.bootstrap, or make one with kafka.enabled" -}}
{{- end -}}
{{- if and (not $registry.enabled) (not $registry.url) (or $registry.auth.secretName $registry.caSecretName) -}}
{{- fail "schemaRegistry.url: give the address of the registry that auth.secretName and caSecretName are for" -}}
{{- end -}}
{{- if and $registry.caSecretName (hasPrefix "http://" $registry.url) -}}
{{- fail (printf "schemaRegistry.caSecretName: %s speaks no TLS; take it out, or give an https address" $registry.url) -}}
{{- end -}}
{{- end -}}
