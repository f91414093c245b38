{{/* Event types of the shop's own, for whoever judges events. */}}
{{- define "endcap.customTypesName" -}}{{ include "endcap.fullname" . }}-custom-types{{- end -}}

{{/* The file; JSON is YAML, and writes large numbers as they are. */}}
{{- define "endcap.customTypesFile" -}}
{{- dict "types" .Values.customTypes | toPrettyJson -}}
{{- end -}}

{{- define "endcap.customTypesSettings" -}}
{{- if .Values.customTypes }}
ENDCAP_EVENTS__CUSTOM_TYPES_FILE: /etc/endcap/custom-types/custom-types.yaml
{{- end }}
{{- end -}}

{{- define "endcap.customTypesMount" -}}
{{- if .Values.customTypes }}
- name: custom-types
  mountPath: /etc/endcap/custom-types
  readOnly: true
{{- end }}
{{- end -}}

{{- define "endcap.customTypesVolume" -}}
{{- if .Values.customTypes }}
- name: custom-types
  configMap:
    name: {{ include "endcap.customTypesName" . }}
{{- end }}
{{- end -}}

{{/* They are read at the start: pods are new when they change. */}}
{{- define "endcap.customTypesChecksum" -}}
{{- if .Values.customTypes }}
endcap.dev/custom-types: {{ include "endcap.customTypesFile" . | sha256sum }}
{{- end }}
{{- end -}}
