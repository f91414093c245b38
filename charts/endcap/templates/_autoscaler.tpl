{{/* Autoscalers that KServe made for another class and leaves at work. Found in a cluster only. */}}
{{- define "endcap.autoscalerHookName" -}}{{ include "endcap.fullname" . }}-autoscaler{{- end -}}

{{/* InferenceServices whose class may change: the target, its candidate, the variants. As JSON. */}}
{{- define "endcap.autoscaledServices" -}}
{{- $name := include "endcap.fullname" . -}}
{{- $services := list $name (printf "%s-candidate" $name) -}}
{{- range .Values.experiments.variants }}{{ $services = append $services (printf "%s-%s" $name .name) }}{{ end -}}
{{- toJson $services -}}
{{- end -}}

{{/* The old autoscalers as kubectl names them, as a JSON list. A candidate has the class that it was made with. */}}
{{- define "endcap.replacedAutoscalers" -}}
{{- $found := list -}}
{{- if and .Values.serving.enabled .Release.IsUpgrade (eq .Values.serving.deploymentMode "Standard") -}}
{{- $candidate := printf "%s-candidate" (include "endcap.fullname" .) -}}
{{- range $service := fromJsonArray (include "endcap.autoscaledServices" .) -}}
{{- $live := lookup "serving.kserve.io/v1beta1" "InferenceService" $.Release.Namespace $service -}}
{{- $class := $.Values.serving.autoscaling.class -}}
{{- if eq $service $candidate }}{{ $class = dig "metadata" "annotations" "serving.kserve.io/autoscalerClass" $class $live }}{{ end -}}
{{- range $kind := list "hpa HorizontalPodAutoscaler autoscaling/v2" "keda ScaledObject keda.sh/v1alpha1" -}}
{{- $kind = splitList " " $kind -}}
{{- if and $live (ne $class (first $kind)) ($.Capabilities.APIVersions.Has (last $kind)) -}}
{{- $made := lookup (last $kind) (index $kind 1) $.Release.Namespace (printf "%s-predictor" $service) -}}
{{- range (dig "metadata" "ownerReferences" list $made | default list) -}}
{{- if eq .uid $live.metadata.uid }}{{ $found = append $found (printf "%s/%s-predictor" (index $kind 1 | lower) $service) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{/* What deletes them by hand, after the upgrade. */}}
{{- define "endcap.autoscalerCommand" -}}
kubectl delete --namespace {{ .Release.Namespace }} --ignore-not-found {{ join " " (fromJsonArray (include "endcap.replacedAutoscalers" .)) }}
{{- end -}}

{{- define "endcap.runsAutoscalerHook" -}}
{{- if and .Values.hooks.enabled (fromJsonArray (include "endcap.replacedAutoscalers" .)) }}true{{ end -}}
{{- end -}}

{{/* Metadata of an object of the hook. Call with (dict "root" $ "weight" NUMBER). */}}
{{- define "endcap.autoscalerHookMetadata" -}}
name: {{ include "endcap.autoscalerHookName" .root }}
labels:
  {{- include "endcap.labels" (dict "root" .root "component" "autoscaler") | nindent 2 }}
annotations:
  helm.sh/hook: post-upgrade
  helm.sh/hook-weight: {{ .weight | quote }}
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded,hook-failed
{{- end -}}
