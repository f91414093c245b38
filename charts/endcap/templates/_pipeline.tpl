{{/* The compiled pipeline with images, resources and Kubernetes settings of the values, as JSON: pipelineSpec and platformSpec. */}}
{{- define "endcap.pipeline" -}}
{{- $text := .Files.Get "files/endcap-training.yaml" -}}
{{- if not $text }}{{ fail "files/endcap-training.yaml is missing from the chart" }}{{ end -}}
{{- $documents := splitList "\n---\n" $text -}}
{{- $spec := fromYaml (index $documents 0) -}}
{{- $platform := fromYaml (index $documents 1) -}}
{{- $pipelines := .Values.pipelines -}}
{{- $image := include "endcap.image" (dict "root" . "image" $pipelines.image) -}}
{{- $pods := $platform.platforms.kubernetes.deploymentSpec.executors -}}
{{- range $name, $executor := $spec.deploymentSpec.executors -}}
{{- $container := $executor.container -}}
{{- $pod := get $pods $name -}}
{{- $env := dict "ENDCAP_PROFILE" "cluster" -}}
{{- $_ := set $container "image" $image -}}
{{- $_ := set $pod "imagePullPolicy" $.Values.images.pullPolicy -}}
{{- with $.Values.images.pullSecrets }}{{ $_ := set $pod "imagePullSecret" (fromJsonArray (include "endcap.pipelinePullSecrets" .)) }}{{ end -}}
{{- if eq (dig "podMetadata" "labels" "endcap.dev/reaches" "" $pod) "stores" -}}
{{- $env = mergeOverwrite $env (fromYaml (include "endcap.sharedSettings" $)) (fromYaml (include "endcap.pipelineSettings" $)) -}}
{{- $_ := set $pod "pvcMount" (fromJsonArray (include "endcap.pipelineMounts" $)) -}}
{{- $_ := set $pod "secretAsEnv" (fromJsonArray (include "endcap.pipelineSecrets" $)) -}}
{{- end -}}
{{- $_ := set $container "env" (fromYamlArray (include "endcap.env" (mergeOverwrite $env (deepCopy $pipelines.env)))) -}}
{{- with get $pipelines.resources (trimPrefix "exec-" $name | replace "-" "_") | default (get $pipelines.resources (trimPrefix "exec-" $name)) -}}
{{- $_ := set $container "resources" (mergeOverwrite $container.resources (fromYaml (include "endcap.stepResources" .))) -}}
{{- end -}}
{{- if and (hasPrefix "exec-train-" $name) $pipelines.gpus.count -}}
{{- $count := printf "%d" (int $pipelines.gpus.count) -}}
{{- $accelerator := dict "count" $count "resourceCount" $count "type" $pipelines.gpus.resource "resourceType" $pipelines.gpus.resource -}}
{{- $_ := set $container.resources "accelerator" $accelerator -}}
{{- with $pipelines.gpus.nodeSelector }}{{ $_ := set $pod "nodeSelector" (dict "labels" .) }}{{ end -}}
{{- with $pipelines.gpus.tolerations }}{{ $_ := set $pod "tolerations" . }}{{ end -}}
{{- end -}}
{{- end -}}
{{- $_ := set $spec.root.inputDefinitions.parameters.data_dir "defaultValue" $pipelines.dataDir -}}
{{- dict "pipelineSpec" $spec "platformSpec" $platform | toJson -}}
{{- end -}}

{{- define "endcap.pipelinePullSecrets" -}}
{{- $secrets := list -}}
{{- range . }}{{ $secrets = append $secrets (dict "secretName" . "secretNameParameter" (dict "runtimeValue" (dict "constant" .))) }}{{ end -}}
{{- toJson $secrets -}}
{{- end -}}

{{/* Claims of steps that reach stores: the values', and the bundles', where the deploy step copies to. */}}
{{- define "endcap.pipelineMounts" -}}
{{- $volumes := .Values.pipelines.volumes -}}
{{- if and (include "endcap.usesClaim" .) (not .Values.bundles.store) -}}
{{- $volumes = append $volumes (dict "claimName" (include "endcap.bundlesClaim" .) "mountPath" "/mnt/bundles") -}}
{{- end -}}
{{- $mounts := list -}}
{{- range $volumes -}}
{{- $mounts = append $mounts (dict "constant" .claimName "mountPath" .mountPath "pvcNameParameter" (dict "runtimeValue" (dict "constant" .claimName))) -}}
{{- end -}}
{{- toJson $mounts -}}
{{- end -}}

{{/* Secrets of steps that reach stores: the values', the registry's address, what Milvus asks for. */}}
{{- define "endcap.pipelineSecrets" -}}
{{- $wanted := .Values.pipelines.secretEnv -}}
{{- with .Values.feast.registry }}{{ if .secretName }}{{ $wanted = append $wanted (dict "secretName" .secretName "key" .key "env" "FEAST_REGISTRY") }}{{ end }}{{ end -}}
{{- with .Values.milvus.auth }}{{ if .secretName }}{{ $wanted = append $wanted (dict "secretName" .secretName "key" .key "env" "ENDCAP_MILVUS__TOKEN") }}{{ end }}{{ end -}}
{{- $secrets := list -}}
{{- range $wanted -}}
{{- $parameter := dict "runtimeValue" (dict "constant" .secretName) -}}
{{- $keys := list (dict "secretKey" .key "envVar" .env) -}}
{{- $secrets = append $secrets (dict "secretName" .secretName "secretNameParameter" $parameter "keyToEnv" $keys "optional" false) -}}
{{- end -}}
{{- toJson $secrets -}}
{{- end -}}

{{/* Requests of one step as KFP writes them: strings, and numbers in cores and in billions of bytes. */}}
{{- define "endcap.stepResources" -}}
{{- $cpu := .cpu | toString -}}
{{- $memory := .memory | toString -}}
{{- $billions := divf (include "endcap.bytes" $memory | float64) 1e9 -}}
resourceCpuRequest: {{ $cpu | quote }}
cpuRequest: {{ if hasSuffix "m" $cpu }}{{ divf (trimSuffix "m" $cpu | float64) 1000 }}{{ else }}{{ $cpu }}{{ end }}
resourceMemoryRequest: {{ $memory | quote }}
resourceMemoryLimit: {{ $memory | quote }}
memoryRequest: {{ $billions }}
memoryLimit: {{ $billions }}
{{- end -}}

{{- define "endcap.bytes" -}}
{{- $units := dict "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 -}}
{{- $bytes := . -}}
{{- range $unit, $size := $units -}}
{{- if hasSuffix $unit $ -}}{{- $bytes = mulf (trimSuffix $unit $ | float64) $size -}}{{- end -}}
{{- end -}}
{{- printf "%.0f" (float64 $bytes) -}}
{{- end -}}
