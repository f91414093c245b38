{{/* Resources of the model server; GPUs are limits that requests must equal. */}}
{{- define "endcap.modelServerResources" -}}
{{- $server := .Values.serving.modelServer -}}
{{- $resources := deepCopy $server.resources -}}
{{- if $server.gpu.count -}}
{{- $gpu := dict $server.gpu.resource (printf "%d" (int $server.gpu.count)) -}}
{{- $resources = mergeOverwrite $resources (dict "limits" $gpu "requests" (deepCopy $gpu)) -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end -}}

{{/* One InferenceService. Call with (dict "root" $ "name" NAME "track" TRACK "variant" NAME-OR-EMPTY "bundle" DICT "replicas" DICT "env" DICT). */}}
{{- define "endcap.inferenceService" -}}
{{- $root := .root -}}
{{- $serving := $root.Values.serving -}}
{{- $standard := eq $serving.deploymentMode "Standard" -}}
{{- $served := fromJson (include "endcap.servedBundle" (dict "root" $root "name" .name "bundle" .bundle)) -}}
{{- if $served.storageUri -}}
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: {{ .name }}
  labels:
    {{- include "endcap.podLabels" (dict "root" $root "component" "serving") | nindent 4 }}
    endcap.dev/target: {{ include "endcap.fullname" $root }}
    endcap.dev/track: {{ .track }}
    {{- with .variant }}
    endcap.dev/variant: {{ . }}
    {{- end }}
    {{- if $standard }}
    networking.kserve.io/visibility: cluster-local # the chart's HTTPRoute is the way in; KServe would make one of the same name
    {{- end }}
  annotations:
    serving.kserve.io/deploymentMode: {{ $serving.deploymentMode }}
    {{- with $served.version }}
    endcap.dev/bundle: {{ . | quote }}
    {{- end }}
    {{- with $served.collection }}
    endcap.dev/collection: {{ . }}
    {{- end }}
    {{- if $standard }}
    serving.kserve.io/autoscalerClass: {{ $serving.autoscaling.class }}
    {{- else }}
    autoscaling.knative.dev/class: kpa.autoscaling.knative.dev
    autoscaling.knative.dev/metric: {{ $serving.autoscaling.knative.metric }}
    autoscaling.knative.dev/target: {{ $serving.autoscaling.knative.target | quote }}
    autoscaling.knative.dev/target-utilization-percentage: {{ $serving.autoscaling.knative.targetUtilization | quote }}
    autoscaling.knative.dev/window: {{ $serving.autoscaling.knative.window }}
    {{- end }}
spec:
  predictor:
    labels:
      app.kubernetes.io/name: {{ include "endcap.name" $root }}
      app.kubernetes.io/instance: {{ $root.Release.Name }}
      app.kubernetes.io/component: serving
      endcap.dev/target: {{ include "endcap.fullname" $root }}
    {{- $replicas := fromJson (include "endcap.liveReplicas" .) }}
    minReplicas: {{ $replicas.min }}
    maxReplicas: {{ $replicas.max }}
    {{- with include "endcap.scaling" (dict "root" $root "name" .name) }}{{ . | trim | nindent 4 }}{{ end }}
    timeout: {{ $serving.timeoutSeconds }}
    {{- if $standard }}
    deploymentStrategy:
      type: RollingUpdate
      rollingUpdate:
        maxSurge: 1
        maxUnavailable: 0
    terminationGracePeriodSeconds: {{ $serving.termination.graceSeconds }}
    enableServiceLinks: false
    securityContext:
      {{- include "endcap.podSecurity" $root | nindent 6 }}
    {{- else }}
    {{- if include "endcap.needsKnativePodSecurity" $root }}
    securityContext:
      {{- include "endcap.knativePodSecurity" $root | nindent 6 }}
    {{- end }}
    {{- if ne $serving.knative.canaryTrafficPercent nil }}
    canaryTrafficPercent: {{ $serving.knative.canaryTrafficPercent }}
    {{- end }}
    {{- end }}
    serviceAccountName: {{ include "endcap.servingAccount" $root }}
    automountServiceAccountToken: false
    {{- with include "endcap.pullSecrets" $root }}{{ . | trim | nindent 4 }}{{ end }}
    {{- with include "endcap.servingPlacement" $root }}{{ . | trim | nindent 4 }}{{ end }}
    model:
      modelFormat:
        name: tensorflow
        version: "2"
      runtime: {{ include "endcap.runtimeName" $root }}
      protocolVersion: v1
      storageUri: {{ $served.storageUri }}
      resources:
        {{- include "endcap.modelServerResources" $root | nindent 8 }}
    containers:
      - {{- include "endcap.transformerContainer" (dict "root" $root "name" .name "env" .env) | nindent 8 }}
    volumes:
      - name: tmp
        emptyDir: {}
      - name: home
        emptyDir: {}
      - name: rules
        configMap:
          name: {{ include "endcap.rulesName" $root }}
      {{- with include "endcap.liveClaim" $root }}
      - name: live
        persistentVolumeClaim:
          claimName: {{ . }}
          readOnly: true # Knative takes no other claim
      {{- end }}
      {{- with include "endcap.secretVolumes" (dict "root" $root "parts" (list "milvus" "redis" "kafka" "person-ids" "schemas")) }}{{ . | trim | nindent 6 }}{{ end }}
{{- end -}}
{{- end -}}

{{/* How many pods, by what. The KEDA query counts the pods that would bring p99 to its target: KServe's threshold divides by pods. */}}
{{- define "endcap.scaling" -}}
{{- $scaling := .root.Values.serving.autoscaling -}}
{{- if ne .root.Values.serving.deploymentMode "Standard" -}}
{{- with $scaling.knative.containerConcurrency }}
containerConcurrency: {{ . }}
{{- end }}
{{- else if eq $scaling.class "hpa" -}}
scaleMetric: cpu
scaleTarget: {{ $scaling.cpuUtilization }}
{{- else if eq $scaling.class "keda" -}}
{{- $pods := printf "namespace=\"%s\",pod=~\"%s-predictor-.*\"" .root.Release.Namespace .name -}}
{{- $p99 := printf "histogram_quantile(0.99, sum by (le) (rate(endcap_list_seconds_bucket{%s}[2m])))" $pods -}}
autoScaling:
  metrics:
    - type: External
      external:
        metric:
          backend: prometheus
          serverAddress: {{ .root.Values.monitoring.prometheusUrl }}
          query: {{ printf "(count(endcap_request_budget_seconds{%s}) * clamp_max(%s / %v, 2)) > 0 or vector(1)" $pods $p99 $scaling.latencySeconds | quote }}
        target:
          type: Value
          value: "1"
{{- end -}}
{{- end -}}

{{/* On which nodes serving pods run. */}}
{{- define "endcap.servingPlacement" -}}
{{- $serving := .Values.serving -}}
{{- with $serving.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $serving.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $serving.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $serving.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if and $serving.topologySpread.enabled (eq $serving.deploymentMode "Standard") }}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: {{ $serving.topologySpread.whenUnsatisfiable }}
    labelSelector:
      matchLabels:
        endcap.dev/target: {{ include "endcap.fullname" $ }}
        app.kubernetes.io/component: serving
  {{- end }}
{{- end }}
{{- end -}}
