{{/* An image by digest where one is given, else by tag. Call with (dict "root" $ "image" .Values.x.image). */}}
{{- define "endcap.image" -}}
{{- $repository := .image.repository -}}
{{- with .root.Values.images.registry }}{{ $repository = printf "%s/%s" (trimSuffix "/" .) $repository }}{{ end -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (.image.tag | toString | default .root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- define "endcap.pullSecrets" -}}
{{- with .Values.images.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}
