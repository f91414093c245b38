{{/* What the pods of `helm test` have in common: Python of the transformer's image, and one script of the chart. */}}
{{- define "endcap.testPod" -}}
restartPolicy: Never
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "endcap.podSecurity" . | nindent 2 }}
{{- include "endcap.pullSecrets" . }}
{{- end -}}

{{- define "endcap.testContainer" -}}
image: {{ include "endcap.image" (dict "root" .root "image" .root.Values.serving.transformer.image) }}
imagePullPolicy: {{ .root.Values.images.pullPolicy }}
command: [python, -c]
args:
  - |
    {{- .root.Files.Get (printf "files/tests/%s" .script) | nindent 4 }}
resources:
  requests: {cpu: 50m, memory: 64Mi}
  limits: {cpu: 500m, memory: 128Mi}
securityContext:
  {{- include "endcap.containerSecurity" .root | nindent 2 }}
{{- end -}}
