{{/* A claim that the chart makes. Call with (dict "root" $ "name" ... "component" ... "claim" (the values)). */}}
{{- define "endcap.claimObject" -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ .name }}
  labels:
    {{- include "endcap.labels" (dict "root" .root "component" .component) | nindent 4 }}
  {{- if .claim.keep }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
spec:
  accessModes: [{{ .claim.accessMode }}]
  {{- with .claim.storageClassName }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests:
      storage: {{ .claim.size }}
{{- end -}}

{{/* Whether the release makes the claim of the live folder: somebody writes it, and the values name no other one. */}}
{{- define "endcap.makesLiveClaim" -}}
{{- if and (or .Values.evidence.enabled .Values.stream.enabled) .Values.evidence.claim.create (not .Values.serving.live.claimName) -}}true{{- end -}}
{{- end -}}
