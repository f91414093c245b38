{{/* Labels. Call with (dict "root" $ "component" "serving"). */}}
{{- define "endcap.selectorLabels" -}}
app.kubernetes.io/name: {{ include "endcap.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* What pods carry: no chart version, so that an upgrade that changes nothing else restarts nothing. */}}
{{- define "endcap.podLabels" -}}
{{ include "endcap.selectorLabels" . }}
app.kubernetes.io/part-of: endcap
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "endcap.labels" -}}
{{ include "endcap.podLabels" . }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}
