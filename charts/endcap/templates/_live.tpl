{{/* What is live: rollouts change the served bundle and the route's weights, and an upgrade must not undo that. */}}

{{/* Version and place of the bundle to serve, as JSON. Call with (dict "root" $ "name" NAME "bundle" (dict version collection override)). */}}
{{- define "endcap.servedBundle" -}}
{{- $version := printf "%v" (.bundle.version | default "") -}}
{{- if and $version (not (kindIs "string" .bundle.version)) }}{{ $version = printf "%.0f" (float64 .bundle.version) }}{{ end -}}
{{- $served := dict "version" $version "collection" (.bundle.collection | default "") -}}
{{- if $version }}{{ $_ := set $served "storageUri" (printf "%s/%s" (include "endcap.storageUri" .root) $version) }}{{ end -}}
{{- if not .bundle.override -}}
{{- $live := lookup "serving.kserve.io/v1beta1" "InferenceService" .root.Release.Namespace .name -}}
{{- $uri := dig "spec" "predictor" "model" "storageUri" "" $live -}}
{{- if $uri -}}
{{- $annotations := dig "metadata" "annotations" dict $live | default dict -}}
{{- $served = dict "storageUri" $uri "version" (get $annotations "endcap.dev/bundle") "collection" (get $annotations "endcap.dev/collection") -}}
{{- end -}}
{{- end -}}
{{- toJson $served -}}
{{- end -}}

{{/*
Fewest and most pods, as JSON: the values', but while a Rollout that has not ended holds the target, the fewest are those it holds.
Call with (dict "root" $ "name" NAME "replicas" (dict min max)).
*/}}
{{- define "endcap.liveReplicas" -}}
{{- $replicas := dict "min" .replicas.min "max" .replicas.max -}}
{{- if .root.Capabilities.APIVersions.Has "endcap.dev/v1alpha1" -}}
{{- $name := .name -}}
{{- $live := lookup "serving.kserve.io/v1beta1" "InferenceService" .root.Release.Namespace $name -}}
{{- $min := dig "spec" "predictor" "minReplicas" 0 $live | int -}}
{{- range (dig "items" list (lookup "endcap.dev/v1alpha1" "Rollout" .root.Release.Namespace "") | default list) -}}
{{- $hasEnded := has (dig "status" "phase" "" .) (list "Succeeded" "Failed") -}}
{{- if and (eq .spec.target $name) (dig "status" "heldReplicas" 0 .) $min (not $hasEnded) -}}
{{- $replicas = dict "min" $min "max" (max $min (int $replicas.max)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $replicas -}}
{{- end -}}

{{/* The weights of the rule `traffic`, as a YAML list. */}}
{{- define "endcap.trafficBackends" -}}
{{- $backends := list (dict "group" "" "kind" "Service" "name" (printf "%s-predictor" (include "endcap.fullname" .)) "port" 80 "weight" 100) -}}
{{- $live := lookup "gateway.networking.k8s.io/v1" "HTTPRoute" .Release.Namespace (include "endcap.fullname" .) -}}
{{- range (dig "spec" "rules" list $live | default list) -}}
{{- if and (eq (.name | default "") "traffic") .backendRefs }}{{ $backends = .backendRefs }}{{ end -}}
{{- end -}}
{{- toYaml $backends -}}
{{- end -}}

{{/* Features that Knative's ConfigMap config-features must switch on for the InferenceService of these values, one a line. */}}
{{- define "endcap.knativeFeatures" -}}
{{- $serving := .Values.serving -}}
{{- if include "endcap.liveClaim" . }}
kubernetes.podspec-persistent-volume-claim
{{- end }}
{{- if include "endcap.needsKnativePodSecurity" . }}
kubernetes.podspec-securitycontext
{{- end }}
{{- if $serving.nodeSelector }}
kubernetes.podspec-nodeselector
{{- end }}
{{- if $serving.tolerations }}
kubernetes.podspec-tolerations
{{- end }}
{{- if $serving.affinity }}
kubernetes.podspec-affinity
{{- end }}
{{- if $serving.priorityClassName }}
kubernetes.podspec-priorityclassname
{{- end }}
{{- if $serving.knative.multiContainerProbing }}
multi-container-probing
{{- end }}
{{- end -}}
