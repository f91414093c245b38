{{/*
What a living release cannot change, refused before an upgrade has begun instead of half-way through it. Without a cluster (`helm template`,
Argo CD) there is nothing to look up, and the API server refuses it.
*/}}
{{- define "endcap.livingReleaseChecks" -}}
{{- if .Release.IsUpgrade -}}
{{- if .Values.serving.enabled -}}
{{- include "endcap.nameStays" . -}}
{{- include "endcap.deploymentModeStays" . -}}
{{- end -}}
{{- if .Values.rollouts.operator.enabled -}}
{{- include "endcap.selectorStays" (dict "root" . "kind" "Deployment" "name" (include "endcap.operatorName" .) "component" "rollout-operator") -}}
{{- end -}}
{{- if .Values.redis.enabled -}}
{{- include "endcap.selectorStays" (dict "root" . "kind" "StatefulSet" "name" (include "endcap.redisName" .) "component" "redis") -}}
{{- $volume := .Values.redis.persistence -}}
{{- include "endcap.volumeStays" (dict "root" . "key" "redis.persistence" "name" (include "endcap.redisName" .) "isWanted" $volume.enabled "volume" $volume) -}}
{{- end -}}
{{- if .Values.collector.enabled -}}
{{- include "endcap.selectorStays" (dict "root" . "kind" "StatefulSet" "name" (include "endcap.collectorName" .) "component" "collector") -}}
{{- include "endcap.volumeStays" (dict "root" . "key" "collector.spool" "name" (include "endcap.collectorName" .) "isWanted" true "volume" .Values.collector.spool) -}}
{{- end -}}
{{- if .Values.schemaRegistry.enabled -}}
{{- include "endcap.selectorStays" (dict "root" . "kind" "StatefulSet" "name" (include "endcap.schemaRegistryName" .) "component" "schema-registry") -}}
{{- include "endcap.volumeStays" (dict "root" . "key" "schemaRegistry.persistence" "name" (include "endcap.schemaRegistryName" .) "isWanted" true "volume" .Values.schemaRegistry.persistence) -}}
{{- end -}}
{{- if eq (include "endcap.streamRunner" .) "process" -}}
{{- include "endcap.selectorStays" (dict "root" . "kind" "StatefulSet" "name" (include "endcap.streamName" .) "component" "stream") -}}
{{- end -}}
{{- if and .Values.stream.enabled .Values.stream.claim.create -}}
{{- include "endcap.claimStays" (dict "root" . "key" "stream.claim" "name" (include "endcap.streamClaim" .) "claim" .Values.stream.claim) -}}
{{- end -}}
{{- if and (include "endcap.streamSparkOnClaim" .) .Values.stream.spark.claim.create -}}
{{- include "endcap.claimStays" (dict "root" . "key" "stream.spark.claim" "name" (include "endcap.streamSparkClaim" .) "claim" .Values.stream.spark.claim) -}}
{{- end -}}
{{- include "endcap.formerTopicsStay" . -}}
{{- if and (include "endcap.usesClaim" .) .Values.bundles.claim.create -}}
{{- include "endcap.claimStays" (dict "root" . "key" "bundles.claim" "name" (include "endcap.bundlesClaim" .) "claim" .Values.bundles.claim) -}}
{{- end -}}
{{- if and (or .Values.pipelines.enabled .Values.spark.enabled) .Values.workspace.claim.create -}}
{{- include "endcap.claimStays" (dict "root" . "key" "workspace.claim" "name" (include "endcap.workspaceClaim" .) "claim" .Values.workspace.claim) -}}
{{- end -}}
{{- if include "endcap.makesLiveClaim" . -}}
{{- include "endcap.claimStays" (dict "root" . "key" "evidence.claim" "name" (include "endcap.liveClaim" .) "claim" .Values.evidence.claim) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Another full name would make all objects anew and delete the old ones, claims with bundles among them. */}}
{{- define "endcap.nameStays" -}}
{{- $full := include "endcap.fullname" . -}}
{{- range (lookup "serving.kserve.io/v1beta1" "InferenceService" .Release.Namespace "").items -}}
{{- $labels := .metadata.labels | default dict -}}
{{- if and (eq (get $labels "app.kubernetes.io/instance") $.Release.Name) (eq (get $labels "endcap.dev/track") "stable") (ne .metadata.name $full) -}}
{{- fail (printf "fullnameOverride: release %s serves as %q, and these values would name it %q: its claims and its InferenceService would be deleted and made anew; set fullnameOverride to %q, or install a second release" $.Release.Name .metadata.name $full .metadata.name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "endcap.deploymentModeStays" -}}
{{- $live := lookup "serving.kserve.io/v1beta1" "InferenceService" .Release.Namespace (include "endcap.fullname" .) -}}
{{- $annotations := dig "metadata" "annotations" dict $live | default dict -}}
{{- $mode := get $annotations "serving.kserve.io/deploymentMode" | default (dig "status" "deploymentMode" "" $live) -}}
{{- $mode = get (dict "RawDeployment" "Standard" "Serverless" "Knative") $mode | default $mode -}}
{{- if and $mode (ne $mode .Values.serving.deploymentMode) -}}
{{- fail (printf "serving.deploymentMode: InferenceService %s runs in %s mode, and KServe changes the mode of none that exists: install a second release in %s mode beside this one, move the clients to it, then uninstall this one (charts/endcap/README.md, Deployment modes)" (include "endcap.fullname" .) $mode .Values.serving.deploymentMode) -}}
{{- end -}}
{{- end -}}

{{/* Call with (dict "root" $ "kind" KIND "name" NAME "component" COMPONENT). */}}
{{- define "endcap.selectorStays" -}}
{{- $live := lookup "apps/v1" .kind .root.Release.Namespace .name -}}
{{- $selected := dig "spec" "selector" "matchLabels" "app.kubernetes.io/name" "" $live -}}
{{- if and $selected (ne $selected (include "endcap.name" .root)) -}}
{{- fail (printf "nameOverride: %s %s selects its pods by the name %q, which Kubernetes does not let change: set nameOverride to %q" .kind .name $selected $selected) -}}
{{- end -}}
{{- end -}}

{{/* Call with (dict "root" $ "key" KEY-OF-THE-VALUES "name" NAME "claim" VALUES). */}}
{{- define "endcap.claimStays" -}}
{{- $live := lookup "v1" "PersistentVolumeClaim" .root.Release.Namespace .name -}}
{{- if $live -}}
{{- $mode := first $live.spec.accessModes -}}
{{- if ne $mode .claim.accessMode -}}
{{- fail (printf "%s.accessMode: claim %s has %s, which Kubernetes does not let change; make a new claim, copy the data, and name it in %s.name" .key .name $mode .key) -}}
{{- end -}}
{{- $class := $live.spec.storageClassName | default "" -}}
{{- if and .claim.storageClassName $class (ne $class .claim.storageClassName) -}}
{{- fail (printf "%s.storageClassName: claim %s is of class %s, which Kubernetes does not let change; make a new claim, copy the data, and name it in %s.name" .key .name $class .key) -}}
{{- end -}}
{{- $size := $live.spec.resources.requests.storage -}}
{{- if lt (include "endcap.bytes" .claim.size | float64) (include "endcap.bytes" $size | float64) -}}
{{- fail (printf "%s.size: claim %s has %s, and Kubernetes makes no claim smaller than that: give at least %s" .key .name $size $size) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A StatefulSet's volume templates cannot change at all. Call with (dict "root" $ "key" KEY "name" NAME "isWanted" BOOL "volume" VALUES). */}}
{{- define "endcap.volumeStays" -}}
{{- $name := .name -}}
{{- $key := .key -}}
{{- $wanted := .volume -}}
{{- $live := lookup "apps/v1" "StatefulSet" .root.Release.Namespace $name -}}
{{- if $live -}}
{{- $templates := $live.spec.volumeClaimTemplates | default list -}}
{{- $how := "delete the StatefulSet alone with `kubectl delete statefulset --cascade=orphan`, then upgrade" -}}
{{- if ne (not $templates) (not .isWanted) -}}
{{- fail (printf "%s.enabled: StatefulSet %s cannot change its volumes: %s" $key $name $how) -}}
{{- end -}}
{{- range $templates -}}
{{- if ne (include "endcap.bytes" .spec.resources.requests.storage) (include "endcap.bytes" $wanted.size) -}}
{{- fail (printf "%s.size: StatefulSet %s has volumes of %s and cannot change that: %s" $key $name .spec.resources.requests.storage $how) -}}
{{- end -}}
{{- if ne (.spec.storageClassName | default "") $wanted.storageClassName -}}
{{- fail (printf "%s.storageClassName: StatefulSet %s has volumes of class %q and cannot change that: %s" $key $name (.spec.storageClassName | default "") $how) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
