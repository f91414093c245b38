{{/* The stream on Spark. */}}
{{- define "endcap.streamSparkClaim" -}}{{ .Values.stream.spark.claim.name | default (printf "%s-spark" (include "endcap.streamName" .)) }}{{- end -}}

{{/* Whether checkpoint or state lies on a claim. */}}
{{- define "endcap.streamSparkOnClaim" -}}
{{- if and (eq (include "endcap.streamRunner" .) "spark") (not (and .Values.stream.spark.checkpoint .Values.stream.spark.state)) -}}true{{- end -}}
{{- end -}}

{{- define "endcap.streamArguments" -}}
{{- $spark := .Values.stream.spark -}}
- --checkpoint
- {{ $spark.checkpoint | default "file:///mnt/stream/checkpoint" | quote }}
- --state
- {{ $spark.state | default "/mnt/stream/state" | quote }}
- --buckets
- {{ $spark.buckets | toString | quote }}
- --trigger-seconds
- {{ $spark.triggerSeconds | toString | quote }}
- --records-max
- {{ int $spark.recordsMax | toString | quote }}
- --driver-records-max
- {{ int $spark.driverRecordsMax | toString | quote }}
{{- if $spark.kafkaOptions.secretName }}
- --kafka-options
- /etc/endcap/kafka-java/{{ $spark.kafkaOptions.key }}
{{- end }}
{{- end -}}

{{/* What driver and executors have in common. Call with (dict "root" $ "component" "stream"). */}}
{{- define "endcap.streamSparkPod" -}}
labels:
  {{- include "endcap.podLabels" . | nindent 2 }}
{{- with include "endcap.customTypesChecksum" .root | trim }}
annotations:
  {{- . | nindent 2 }}
{{- end }}
podSecurityContext:
  {{- include "endcap.podSecurity" .root | nindent 2 }}
securityContext:
  {{- include "endcap.containerSecurity" .root | nindent 2 }}
env:
  {{- include "endcap.streamEnv" .root | nindent 2 }}
{{- with include "endcap.streamPlacement" .root }}
{{ . | trim }}
{{- end }}
{{- end -}}

{{- define "endcap.streamSparkMounts" -}}
{{- include "endcap.streamSharedMounts" . }}
{{- if include "endcap.streamSparkOnClaim" . }}
- name: stream
  mountPath: /mnt/stream
{{- end }}
{{- if .Values.stream.spark.kafkaOptions.secretName }}
- name: kafka-java
  mountPath: /etc/endcap/kafka-java
  readOnly: true
{{- end }}
{{- end -}}

{{/* The spec of its SparkApplication. */}}
{{- define "endcap.streamApplication" -}}
{{- $spark := .Values.stream.spark -}}
type: Python
pythonVersion: "3"
mode: cluster
sparkVersion: {{ .Values.spark.version | quote }}
image: {{ include "endcap.image" (dict "root" . "image" .Values.spark.image) }}
imagePullPolicy: {{ .Values.images.pullPolicy }}
{{- with .Values.images.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
mainApplicationFile: local:///opt/endcap/stream_on_spark.py
arguments:
  {{- include "endcap.streamArguments" . | nindent 2 }}
sparkConf:
  {{- include "endcap.sparkConf" $spark.sparkConf | nindent 2 }}
restartPolicy:
  type: Always
  onFailureRetryInterval: 10
  onSubmissionFailureRetryInterval: 30
{{- with .Values.stream.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  {{- include "endcap.streamVolumes" . | nindent 2 }}
  - name: executor-home
    emptyDir: {}
  {{- if include "endcap.streamSparkOnClaim" . }}
  - name: stream
    persistentVolumeClaim:
      claimName: {{ include "endcap.streamSparkClaim" . }}
  {{- end }}
  {{- with $spark.kafkaOptions.secretName }}
  - name: kafka-java
    secret:
      secretName: {{ . }}
  {{- end }}
driver:
  cores: {{ $spark.driver.cores }}
  coreRequest: {{ $spark.driver.cores | quote }}
  coreLimit: {{ $spark.driver.cores | quote }}
  memory: {{ $spark.driver.memory }}
  serviceAccount: {{ include "endcap.streamName" . }}
  terminationGracePeriodSeconds: {{ .Values.stream.terminationGraceSeconds }}
  ports:
    - name: http
      containerPort: 8091
      protocol: TCP
  {{- include "endcap.streamSparkPod" (dict "root" . "component" "stream") | nindent 2 }}
  volumeMounts:
    {{- include "endcap.streamSparkMounts" . | nindent 4 }}
    {{- include "endcap.streamWriterMounts" . | nindent 4 }}
executor:
  instances: {{ $spark.executor.instances }}
  cores: {{ $spark.executor.cores }}
  coreRequest: {{ $spark.executor.cores | quote }}
  coreLimit: {{ $spark.executor.cores | quote }}
  memory: {{ $spark.executor.memory }}
  deleteOnTermination: true
  {{- include "endcap.streamSparkPod" (dict "root" . "component" "stream-executor") | nindent 2 }}
  volumeMounts:
    {{- include "endcap.streamSparkMounts" . | nindent 4 }}
    - name: executor-home
      mountPath: /var/lib/endcap
{{- end -}}
