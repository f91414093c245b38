{{/* Parts of network policies. */}}
{{- define "endcap.egressDns" -}}
- ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
    - port: 5353 # where some clusters' DNS pods listen behind port 53
      protocol: UDP
    - port: 5353
      protocol: TCP
{{- end -}}

{{- define "endcap.egressPorts" -}}
- ports:
    {{- range . }}
    - port: {{ . }}
      protocol: TCP
    {{- end }}
{{- end -}}

{{/* Namespaces by name; all of them when the list is empty. */}}
{{- define "endcap.fromNamespaces" -}}
{{- if . -}}
- namespaceSelector:
    matchExpressions:
      - key: kubernetes.io/metadata.name
        operator: In
        values:
          {{- toYaml . | nindent 10 }}
- podSelector: {}
{{- else -}}
- namespaceSelector: {}
{{- end -}}
{{- end -}}

{{/* The port at the end of an address; 443 or 80 when it names none. */}}
{{- define "endcap.portOf" -}}
{{- $found := regexFind ":[0-9]+" (regexReplaceAll "^[a-z0-9]+://" . "") -}}
{{- if $found -}}{{ trimPrefix ":" $found }}{{- else if hasPrefix "http://" . -}}80{{- else -}}443{{- end -}}
{{- end -}}

{{- define "endcap.milvusPort" -}}{{ ternary 19530 (.Values.milvus.port | int) .Values.milvus.enabled }}{{- end -}}
