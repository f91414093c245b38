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
{{- $env := fromYaml (include "endcap.sharedSettings" $) -}}
{{- if $.Values.spark.enabled }}{{ $_ := set $env "ENDCAP_FEATURES__COMPUTED" $.Values.spark.out }}{{ end -}}
{{- $_ := set $container "image" $image -}}
{{- $_ := set $pod "imagePullPolicy" $.Values.images.pullPolicy -}}
{{- $user := $.Values.podSecurity.runAsUser | int64 | toString -}}
{{- $_ := set $pod "securityContext" (dict "runAsNonRoot" true "runAsUser" $user "runAsGroup" $user) -}}
{{- if not $pipelines.securityContext }}{{ $_ := unset $pod "securityContext" }}{{ end -}}
{{- with $.Values.images.pullSecrets }}{{ $_ := set $pod "imagePullSecret" (fromJsonArray (include "endcap.pipelinePullSecrets" .)) }}{{ end -}}
{{- if eq (dig "podMetadata" "labels" "endcap.dev/reaches" "" $pod) "stores" -}}
{{- $env = mergeOverwrite $env (fromYaml (include "endcap.pipelineSettings" $)) -}}
{{- $_ := set $pod "configMapAsVolume" (fromJsonArray (include "endcap.pipelineConfigMaps" $)) -}}
{{- $_ := set $pod "pvcMount" (fromJsonArray (include "endcap.pipelineMounts" $)) -}}
{{- with fromJsonArray (include "endcap.pipelineSecrets" $) }}{{ $_ := set $pod "secretAsEnv" . }}{{ end -}}
{{- with fromJsonArray (include "endcap.pipelineSecretFiles" $) }}{{ $_ := set $pod "secretAsVolume" . }}{{ end -}}
{{- end -}}
{{- if and $.Values.spark.enabled (eq $name "exec-build-features") -}}
{{- /* it takes Spark's tables up, which may lie on a claim */ -}}
{{- $_ := set $pod "pvcMount" (fromJsonArray (include "endcap.pipelineMounts" $)) -}}
{{- end -}}
{{- $_ := set $container "env" (fromYamlArray (include "endcap.env" (mergeOverwrite $env (deepCopy $pipelines.env)))) -}}
{{- with get $pipelines.resources (trimPrefix "exec-" $name) -}}
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
{{- range $name, $value := $pipelines.parameters -}}
{{- if not (hasKey $spec.root.inputDefinitions.parameters $name) }}{{ fail (printf "pipelines.parameters.%s: the pipeline has no such parameter" $name) }}{{ end -}}
{{- $_ := set (get $spec.root.inputDefinitions.parameters $name) "defaultValue" $value -}}
{{- end -}}
{{- dict "pipelineSpec" $spec "platformSpec" $platform | toJson -}}
{{- end -}}

{{/* Name of the pipeline on the server, and of its recurring run. */}}
{{- define "endcap.pipelineName" -}}{{ include "endcap.fullname" . }}-training{{- end -}}

{{/* Name of the version: a version never changes in Kubeflow Pipelines, so another pipeline is another version. */}}
{{- define "endcap.pipelineVersionName" -}}
{{- printf "%s-%s" .Chart.Version (include "endcap.pipeline" . | sha256sum | trunc 12) -}}
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
{{- $paths := list }}{{ range $volumes }}{{ $paths = append $paths .mountPath }}{{ end -}}
{{- if not (has .Values.workspace.mountPath $paths) -}}
{{- $volumes = append $volumes (dict "claimName" (include "endcap.workspaceClaim" .) "mountPath" .Values.workspace.mountPath) -}}
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
{{- with .Values.redis.address }}{{ if .secretName }}{{ $wanted = append $wanted (dict "secretName" .secretName "key" .key "env" "FEAST_REDIS") }}{{ end }}{{ end -}}
{{- $secrets := list -}}
{{- range $wanted -}}
{{- $parameter := dict "runtimeValue" (dict "constant" .secretName) -}}
{{- $keys := list (dict "secretKey" .key "envVar" .env) -}}
{{- $secrets = append $secrets (dict "secretName" .secretName "secretNameParameter" $parameter "keyToEnv" $keys "optional" false) -}}
{{- end -}}
{{- toJson $secrets -}}
{{- end -}}

{{/* Configuration of steps that reach stores: what new Rollouts are made of. */}}
{{- define "endcap.pipelineConfigMaps" -}}
{{- $name := include "endcap.rolloutDefaultsName" . -}}
{{- $parameter := dict "runtimeValue" (dict "constant" $name) -}}
{{- list (dict "configMapName" $name "configMapNameParameter" $parameter "mountPath" "/etc/endcap/rollouts" "optional" false) | toJson -}}
{{- end -}}

{{/* Certificate authorities of steps that reach stores. */}}
{{- define "endcap.pipelineSecretFiles" -}}
{{- $files := list -}}
{{- range $part, $file := (omit (fromJson (include "endcap.secretFiles" .)) "kafka" "schemas") -}}
{{- $parameter := dict "runtimeValue" (dict "constant" $file.secretName) -}}
{{- $files = append $files (dict "secretName" $file.secretName "secretNameParameter" $parameter "mountPath" (printf "/etc/endcap/%s" $part) "optional" false) -}}
{{- end -}}
{{- toJson $files -}}
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
