{{/* The restricted pod security standard, for pods and for containers. */}}
{{- define "endcap.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .Values.podSecurity.runAsUser }}
runAsGroup: {{ .Values.podSecurity.runAsUser }}
fsGroup: {{ .Values.podSecurity.fsGroup }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/*
Whether a pod of Knative's has to say it for all its containers: KServe's storage initializer, which comes into the pod at its creation, has
no seccomp profile of its own. Bundles on a claim come without it, and Knative refuses the field until its feature is on.
*/}}
{{- define "endcap.needsKnativePodSecurity" -}}
{{- $serving := .Values.serving -}}
{{- if and (eq $serving.deploymentMode "Knative") $serving.knative.podSecurityContext (not (hasPrefix "pvc://" (include "endcap.storageUri" .))) -}}true{{- end -}}
{{- end -}}

{{/* Of the pod security context what Knative lets through; it refuses fsGroupChangePolicy. */}}
{{- define "endcap.knativePodSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .Values.podSecurity.runAsUser }}
fsGroup: {{ .Values.podSecurity.fsGroup }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Strimzi's containers write below their root and bring their own user. */}}
{{- define "endcap.strimziContainerSecurity" -}}
allowPrivilegeEscalation: false
runAsNonRoot: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "endcap.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: {{ .Values.podSecurity.runAsUser }}
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end -}}
