{{/* Scheduled training: pods that ask the API of Kubeflow Pipelines. An object of the API alone (a ScheduledWorkflow) never starts a run:
     the server's controller passes ids on that only the API knows, and an experiment that many-user servers demand. */}}
{{- define "endcap.scheduleName" -}}{{ include "endcap.fullname" . }}-schedule{{- end -}}

{{/* What asks the API: recurringRun (a Job makes it), cronJob, removal (a Job takes an earlier recurring run away). Empty for nothing.
     Removal is rendered whether or not there was a schedule, so that `helm rollback` to a revision without one removes it too. */}}
{{- define "endcap.scheduleKind" -}}
{{- $schedule := .Values.pipelines.schedule -}}
{{- if and .Values.pipelines.enabled $schedule.enabled (not .Values.pipelines.host) -}}
{{- fail "pipelines.host: a schedule needs the address of the Kubeflow Pipelines API, for example http://ml-pipeline.kubeflow.svc:8888" -}}
{{- end -}}
{{- if and .Values.pipelines.enabled $schedule.enabled -}}
{{- $schedule.by -}}
{{- else if and .Values.pipelines.enabled .Values.pipelines.host .Values.hooks.enabled -}}
removal
{{- else if .Values.hooks.enabled -}}
{{- $account := lookup "v1" "ServiceAccount" .Release.Namespace (include "endcap.scheduleName" .) -}}
{{- if eq (dig "metadata" "annotations" "endcap.dev/schedule" "" $account) "recurringRun" -}}
{{- fail "pipelines.enabled, pipelines.host: the recurring run of this release would stay; switch pipelines.schedule.enabled off in an upgrade before this one" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What the release's Job calls: schedule, unschedule, or nothing. */}}
{{- define "endcap.scheduleCommand" -}}
{{- $kind := include "endcap.scheduleKind" . -}}
{{- if eq $kind "recurringRun" -}}
schedule
{{- else if and $kind .Values.hooks.enabled -}}
unschedule
{{- end -}}
{{- end -}}

{{/* Where the command asks; its variables say as whom, and in which namespace. */}}
{{- define "endcap.scheduleServer" -}}
- {{ printf "--host=%s" .Values.pipelines.host | quote }}
{{- end -}}

{{/* What a scheduled run is: experiment, account, parameters. Values of parameters are JSON, as the API takes them. */}}
{{- define "endcap.scheduleRun" -}}
- {{ printf "--experiment=%s" .Values.pipelines.experiment | quote }}
- --service-account={{ include "endcap.pipelineAccount" . }}
{{- $known := (fromJson (include "endcap.pipeline" .)).pipelineSpec.root.inputDefinitions.parameters -}}
{{- range $name, $value := .Values.pipelines.schedule.parameters }}
{{- include "endcap.scheduleParameterCheck" (dict "name" $name "value" $value "parameter" (get $known $name)) }}
- {{ printf "--parameter=%s=%s" $name (toJson $value) | quote }}
{{- end }}
{{- end -}}

{{/* Kubeflow Pipelines refuses each run with an unknown parameter, or with a text where it wants a number: say so before the first night. */}}
{{- define "endcap.scheduleParameterCheck" -}}
{{- $kinds := dict "STRING" (list "string") "BOOLEAN" (list "bool") "STRUCT" (list "map") "LIST" (list "slice") -}}
{{- $number := list "float64" "int" "int64" -}}
{{- if not .parameter }}{{ fail (printf "pipelines.schedule.parameters.%s: the pipeline has no such parameter" .name) }}{{ end -}}
{{- $type := .parameter.parameterType -}}
{{- if not (has (kindOf .value) (get $kinds $type | default $number)) -}}
{{- fail (printf "pipelines.schedule.parameters.%s: must be a %s, not %s" .name $type (toJson .value)) -}}
{{- end -}}
{{- end -}}

{{/* A pod that calls `endcap pipeline`. Call with (dict "root" $ "command" NAME "args" YAML). */}}
{{- define "endcap.schedulePod" -}}
{{- $root := .root -}}
metadata:
  labels:
    {{- include "endcap.podLabels" (dict "root" $root "component" "schedule") | nindent 4 }}
    sidecar.istio.io/inject: "false" # a sidecar would outlive the command; the API takes callers without one
spec:
  restartPolicy: Never
  serviceAccountName: {{ include "endcap.scheduleName" $root }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  securityContext:
    {{- include "endcap.podSecurity" $root | nindent 4 }}
  {{- with include "endcap.pullSecrets" $root }}{{ . | trim | nindent 2 }}{{ end }}
  containers:
    - name: schedule
      image: {{ include "endcap.image" (dict "root" $root "image" $root.Values.pipelines.image) }}
      imagePullPolicy: {{ $root.Values.images.pullPolicy }}
      command: [endcap, pipeline, {{ .command }}]
      args:
        {{- .args | trim | nindent 8 }}
      env:
        - name: KF_PIPELINES_SA_TOKEN_PATH
          value: /var/run/secrets/kubeflow/pipelines/token
        - name: KF_PIPELINES_NAMESPACE
          {{- if $root.Values.pipelines.namespace }}
          value: {{ $root.Values.pipelines.namespace }}
          {{- else }}
          valueFrom:
            fieldRef:
              fieldPath: metadata.namespace
          {{- end }}
      resources:
        {{- toYaml $root.Values.pipelines.schedule.resources | nindent 8 }}
      securityContext:
        {{- include "endcap.containerSecurity" $root | nindent 8 }}
      volumeMounts:
        - name: tmp
          mountPath: /tmp
        - name: token
          mountPath: /var/run/secrets/kubeflow/pipelines
          readOnly: true
  volumes:
    - name: tmp
      emptyDir: {}
    - name: token # who asks, on a server of many users; one of a single user does not look at it
      projected:
        sources:
          - serviceAccountToken:
              path: token
              audience: pipelines.kubeflow.org
              expirationSeconds: 7200
{{- end -}}

{{- define "endcap.scheduleArgs" -}}
- {{ include "endcap.pipelineName" . }}
- --version={{ include "endcap.pipelineVersionName" . }}
- {{ printf "--cron=%s" .Values.pipelines.schedule.cron | quote }}
- --timeout=300
{{ include "endcap.scheduleServer" . }}
{{ include "endcap.scheduleRun" . }}
{{- end -}}

{{/* Call with (dict "root" $ "timeout" SECONDS). */}}
{{- define "endcap.unscheduleArgs" -}}
- {{ include "endcap.pipelineName" .root }}
- --timeout={{ .timeout }}
{{ include "endcap.scheduleServer" .root }}
{{- end -}}

{{/* The Job that makes the recurring run as the values say, or sees to it that there is none. */}}
{{- define "endcap.scheduleJob" -}}
backoffLimit: 10 # with the waits between them, for more than an hour
template:
{{- if eq (include "endcap.scheduleCommand" .) "schedule" }}
  {{- include "endcap.schedulePod" (dict "root" . "command" "schedule" "args" (include "endcap.scheduleArgs" .)) | nindent 2 }}
{{- else }}
{{- $args := include "endcap.unscheduleArgs" (dict "root" . "timeout" 300) }}
  {{- include "endcap.schedulePod" (dict "root" . "command" "unschedule" "args" $args) | nindent 2 }}
{{- end }}
{{- end -}}
