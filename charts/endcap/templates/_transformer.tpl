{{/* The transformer beside the model server. Call with (dict "root" $ "name" NAME "env" DICT). */}}
{{- define "endcap.transformerContainer" -}}
{{- $root := .root -}}
{{- $serving := $root.Values.serving -}}
{{- $transformer := $serving.transformer -}}
{{- $standard := eq $serving.deploymentMode "Standard" -}}
name: transformer-container
image: {{ include "endcap.image" (dict "root" $root "image" $transformer.image) }}
imagePullPolicy: {{ $root.Values.images.pullPolicy }}
command: [python, -m, endcap_transformer]
args:
  - --wait-seconds={{ $transformer.waitSeconds }}
ports:
  - name: {{ ternary "http" "http1" $standard }}
    containerPort: 8080
    protocol: TCP
  {{- if $standard }}
  - name: grpc
    containerPort: 8081
    protocol: TCP
  {{- end }}
env:
  {{- $own := fromYaml (include "endcap.transformerSettings" $root) }}
  {{- include "endcap.env" (mergeOverwrite (fromYaml (include "endcap.sharedSettings" $root)) $own (deepCopy $transformer.env) (deepCopy (.env | default dict))) | trim | nindent 2 }}
  {{- /* A candidate is a copy of the stable InferenceService with another name; Knative refuses references to fields, and has revisions instead. */}}
  - name: ENDCAP_SERVING__SERVICE_NAME
    {{- if $standard }}
    valueFrom:
      fieldRef:
        fieldPath: metadata.labels['serving.kserve.io/inferenceservice']
    {{- else }}
    value: {{ .name }}
    {{- end }}
  {{- include "endcap.feastEnv" $root | nindent 2 }}
  {{- with include "endcap.milvusAuthEnv" $root }}{{ . | trim | nindent 2 }}{{ end }}
  {{- with include "endcap.schemaAuthEnv" $root }}{{ . | trim | nindent 2 }}{{ end }}
  {{- with include "endcap.secretEnv" $transformer.secretEnv }}{{ . | trim | nindent 2 }}{{ end }}
{{- if $standard }}
lifecycle:
  preStop:
    sleep: # until load balancers have taken the pod out
      seconds: {{ int $serving.termination.preStopSeconds }}
{{- end }}
startupProbe:
  httpGet:
    path: /v2/health/ready
    port: 8080
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: {{ div (add $transformer.waitSeconds 60) 5 }}
readinessProbe:
  httpGet:
    path: /v2/health/ready
    port: 8080
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 2
livenessProbe:
  httpGet:
    path: /v2/health/live
    port: 8080
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
resources:
  {{- toYaml $transformer.resources | nindent 2 }}
securityContext:
  {{- include "endcap.containerSecurity" $root | nindent 2 }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
  - name: home
    mountPath: /var/lib/endcap
  - name: rules
    mountPath: /etc/endcap/rules
    readOnly: true
  {{- if include "endcap.liveClaim" $root }}
  - name: live
    mountPath: /mnt/live
    subPath: live
    readOnly: true
  {{- end }}
  {{- with include "endcap.secretMounts" (dict "root" $root "parts" (list "milvus" "redis" "kafka" "person-ids" "schemas")) }}{{ . | trim | nindent 2 }}{{ end }}
{{- end -}}

{{- define "endcap.transformerSettings" -}}
ENDCAP_HOME: /var/lib/endcap
ENDCAP_FEATURE_REPO_DIR: /opt/endcap/feature_repo
ENDCAP_SERVING__HOST: 0.0.0.0
ENDCAP_SERVING__BUNDLE_DIR: /mnt/models
ENDCAP_SERVING__RULES_FILE: /etc/endcap/rules/rules.yaml
ENDCAP_SERVING__LIVE_DIR: {{ ternary "/mnt/live" "/var/lib/endcap/live" (ne (include "endcap.liveClaim" .) "") }}
ENDCAP_CONSENT__PERSONALISATION: {{ .Values.serving.consent.personalisation | quote }}
ENDCAP_CONSENT__ANALYTICS: {{ .Values.serving.consent.analytics | quote }}
ENDCAP_MODEL_SERVER__HOST: 127.0.0.1
ENDCAP_MODEL_SERVER__PORT: "8500"
ENDCAP_RESILIENCE__DRAIN_SECONDS: {{ .Values.serving.resilience.drainSeconds | quote }}
ENDCAP_RESILIENCE__UNREADY_SECONDS: {{ .Values.serving.resilience.unreadySeconds | quote }}
{{ include "endcap.impressionSettings" . }}
{{ include "endcap.schemaSettings" . }}
{{- end -}}
