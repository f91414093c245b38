{{/* Whether the definition of Rollout is this release's to write: it is not there yet, or this release made it. Helm refuses an install
that brings what another release owns, and one definition serves all releases. */}}
{{- define "endcap.ownsRolloutDefinition" -}}
{{- $there := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" "rollouts.endcap.dev" -}}
{{- $owner := dig "metadata" "annotations" dict $there | default dict -}}
{{- if not $there -}}
true
{{- else if and (eq (get $owner "meta.helm.sh/release-name") .Release.Name) (eq (get $owner "meta.helm.sh/release-namespace") .Release.Namespace) -}}
true
{{- end -}}
{{- end -}}
