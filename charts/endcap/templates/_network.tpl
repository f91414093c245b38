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

{{/* Pods of a component of this release, seen from the namespace of the parts. Call with (dict "root" $ "component" "serving"). */}}
{{- define "endcap.fromComponent" -}}
- podSelector:
    matchLabels:
      {{- include "endcap.selectorLabels" . | nindent 6 }}
  {{- if .root.Values.parts.namespace }}
  namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ .root.Release.Namespace }}
  {{- end }}
{{- end -}}

{{/* Pipeline steps that reach stores, wherever runs are started. */}}
{{- define "endcap.fromSteps" -}}
- podSelector:
    matchLabels:
      app.kubernetes.io/name: endcap
      endcap.dev/reaches: stores
  namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ include "endcap.pipelineNamespace" . }}
{{- end -}}

{{/* The port at the end of an address; 443 or 80 when it names none. */}}
{{- define "endcap.portOf" -}}
{{- $found := regexFind ":[0-9]+" (regexReplaceAll "^[a-z0-9]+://" . "") -}}
{{- if $found -}}{{ trimPrefix ":" $found }}{{- else if hasPrefix "http://" . -}}80{{- else -}}443{{- end -}}
{{- end -}}

{{- define "endcap.milvusPort" -}}{{ ternary 19530 (.Values.milvus.port | int) .Values.milvus.enabled }}{{- end -}}

{{/* Ports of Kafka as JSON: those of the addresses given, and the one that brokers tell clients. */}}
{{- define "endcap.kafkaPorts" -}}
{{- $ports := list -}}
{{- if .Values.kafka.enabled -}}
{{- $ports = list 9092 -}}
{{- else if .Values.kafka.bootstrap -}}
{{- range splitList "," .Values.kafka.bootstrap -}}
{{- $ports = append $ports (regexFind "[0-9]+$" (trim .) | required (printf "kafka.bootstrap: %q has no port; write host:port, with commas between" .) | int) -}}
{{- end -}}
{{- $ports = append $ports (int .Values.kafka.port) -}}
{{- end -}}
{{- $ports | uniq | toJson -}}
{{- end -}}
