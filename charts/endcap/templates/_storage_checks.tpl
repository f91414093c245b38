{{/* Values that render and cannot work: storage that nothing mounts or lets out, and parts that another value takes the ground from. */}}
{{- define "endcap.storageChecks" -}}
{{- include "endcap.bundleChecks" . -}}
{{- include "endcap.folderChecks" . -}}
{{- include "endcap.partChecks" . -}}
{{- $_ := include "endcap.kafkaPorts" . -}}
{{- end -}}

{{/* Bundles: where pods get them from, and where the deploy step copies them to. */}}
{{- define "endcap.bundleChecks" -}}
{{- $uri := include "endcap.storageUri" . -}}
{{- $isClaim := hasPrefix "pvc://" $uri -}}
{{- $network := .Values.networkPolicies -}}
{{- /* oci:// is pulled by the node, like an image */ -}}
{{- if and (or .Values.serving.enabled .Values.stream.enabled) $network.enabled (not $isClaim) (not (hasPrefix "oci://" $uri)) (not $network.objectStorage) (not $network.extraEgress) -}}
{{- fail (printf "networkPolicies.objectStorage: bundles are downloaded from %s, and no network policy lets that out; set it to true (HTTPS, port 443), or give networkPolicies.extraEgress" $uri) -}}
{{- end -}}
{{- if .Values.pipelines.enabled -}}
{{- $store := .Values.bundles.store -}}
{{- if and (not $store) (not (include "endcap.usesClaim" .)) (not (include "endcap.isMounted" (dict "root" . "path" "/mnt/bundles"))) -}}
{{- fail (printf "bundles.store: bundles are served from %s, but the deploy step copies them to /mnt/bundles, which nothing mounts; give the address it copies to, or mount a claim there with pipelines.volumes" $uri) -}}
{{- end -}}
{{- if and $store $isClaim (contains "://" $store) -}}
{{- fail (printf "bundles.store: the deploy step copies bundles to %s, but they are served from %s; set bundles.storageUri to the same place" $store $uri) -}}
{{- end -}}
{{- if and (hasPrefix "/" $store) (not (include "endcap.isMounted" (dict "root" . "path" $store))) -}}
{{- fail (printf "bundles.store: no claim is mounted at %s in pipeline steps; mount one with pipelines.volumes, or leave it empty for the bundles' own claim" $store) -}}
{{- end -}}
{{- if and (not $store) (include "endcap.usesClaim" .) (eq .Values.bundles.claim.accessMode "ReadOnlyMany") -}}
{{- fail "bundles.claim.accessMode: the deploy step copies bundles to the claim, which ReadOnlyMany does not let it; use ReadWriteMany" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Folders that steps and Spark jobs read and write. */}}
{{- define "endcap.folderChecks" -}}
{{- if .Values.spark.enabled -}}
{{- $mount := printf "%s/" (trimSuffix "/" .Values.workspace.mountPath) -}}
{{- range $name := list "data" "out" -}}
{{- $folder := get $.Values.spark $name -}}
{{- if and (hasPrefix "/" $folder) (not (hasPrefix $mount (printf "%s/" $folder))) -}}
{{- fail (printf "spark.%s: Spark mounts the workspace at %s alone, and %s is not below it" $name $.Values.workspace.mountPath $folder) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.pipelines.enabled (hasPrefix "/" .Values.pipelines.dataDir) (not (include "endcap.isMounted" (dict "root" . "path" .Values.pipelines.dataDir))) -}}
{{- fail (printf "pipelines.dataDir: no claim is mounted at %s; put the dataset below workspace.mountPath, or mount its claim with pipelines.volumes" .Values.pipelines.dataDir) -}}
{{- end -}}
{{- end -}}

{{/* Parts made here that a value asks for more than they have. */}}
{{- define "endcap.partChecks" -}}
{{- if and .Values.milvus.enabled (or .Values.milvus.tls .Values.milvus.caSecretName) -}}
{{- fail "milvus.tls: the Milvus made here speaks no TLS, so that no client would reach it; take tls and caSecretName out, or give milvus.host" -}}
{{- end -}}
{{- $parts := .Values.parts.namespace -}}
{{- if and .Values.milvus.enabled $parts (ne $parts .Release.Namespace) -}}
{{- $living := lookup "milvus.io/v1beta1" "Milvus" .Release.Namespace (include "endcap.fullname" .) -}}
{{- if eq (dig "metadata" "annotations" "meta.helm.sh/release-name" "" $living) .Release.Name -}}
{{- fail (printf "parts.namespace: this release has its Milvus in %s, and the upgrade would delete it there with its collections; leave parts.namespace empty, or delete the Milvus yourself first and index the served bundles again with `endcap index build`" .Release.Namespace) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.redis.enabled (or .Values.redis.tls .Values.redis.caSecretName) -}}
{{- fail "redis.tls: the Redis run here speaks no TLS; take tls and caSecretName out, or give redis.host" -}}
{{- end -}}
{{- if and .Values.milvus.enabled (not .Values.milvus.storage.inCluster) (contains "://" .Values.milvus.storage.endpoint) -}}
{{- fail (printf "milvus.storage.endpoint: %s is an address with a scheme; Milvus takes host and port, for example s3.example.com:443" .Values.milvus.storage.endpoint) -}}
{{- end -}}
{{- if and .Values.evidence.enabled (not .Values.serving.enabled) -}}
{{- fail "evidence.enabled: its job runs as the account of serving, which serving.enabled makes" -}}
{{- end -}}
{{- end -}}

{{/* Whether a folder of pipeline steps lies on a claim. Call with (dict "root" $ "path" PATH). */}}
{{- define "endcap.isMounted" -}}
{{- $path := printf "%s/" (trimSuffix "/" .path) -}}
{{- $mounts := list .root.Values.workspace.mountPath -}}
{{- range .root.Values.pipelines.volumes }}{{ $mounts = append $mounts .mountPath }}{{ end -}}
{{- range $mounts -}}
{{- if hasPrefix (printf "%s/" (trimSuffix "/" .)) $path -}}true{{- end -}}
{{- end -}}
{{- end -}}
