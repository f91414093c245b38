{{/* The Spark job that computes features: the spec of a SparkApplication. */}}
{{- define "endcap.sparkApplication" -}}
{{- $spark := .Values.spark -}}
type: Python
pythonVersion: "3"
mode: cluster
sparkVersion: {{ $spark.version | quote }}
image: {{ include "endcap.image" (dict "root" . "image" $spark.image) }}
imagePullPolicy: {{ .Values.images.pullPolicy }}
{{- with .Values.images.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
mainApplicationFile: local:///opt/endcap/features_on_spark.py
arguments:
  - --data
  - {{ $spark.data | quote }}
  - --out
  - {{ $spark.out | quote }}
  {{- range $spark.extraArgs }}
  - {{ . | quote }}
  {{- end }}
sparkConf:
  {{- include "endcap.sparkConf" $spark.sparkConf | nindent 2 }}
restartPolicy:
  type: OnFailure
  onFailureRetries: 2
  onFailureRetryInterval: 60
  onSubmissionFailureRetries: 3
  onSubmissionFailureRetryInterval: 30
timeToLiveSeconds: 86400
{{- with $spark.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: tmp
    emptyDir: {}
  - name: workspace
    persistentVolumeClaim:
      claimName: {{ include "endcap.workspaceClaim" . }}
driver:
  cores: {{ $spark.driver.cores }}
  coreRequest: {{ $spark.driver.cores | quote }}
  coreLimit: {{ $spark.driver.cores | quote }}
  memory: {{ $spark.driver.memory }}
  serviceAccount: {{ include "endcap.sparkAccount" . }}
  {{- include "endcap.sparkPod" . | nindent 2 }}
executor:
  instances: {{ $spark.executor.instances }}
  cores: {{ $spark.executor.cores }}
  coreRequest: {{ $spark.executor.cores | quote }}
  coreLimit: {{ $spark.executor.cores | quote }}
  memory: {{ $spark.executor.memory }}
  deleteOnTermination: true
  {{- include "endcap.sparkPod" . | nindent 2 }}
{{- end -}}

{{/* What driver and executors have in common. */}}
{{- define "endcap.sparkPod" -}}
labels:
  {{- include "endcap.podLabels" (dict "root" . "component" "spark") | nindent 2 }}
podSecurityContext:
  {{- include "endcap.podSecurity" . | nindent 2 }}
securityContext:
  {{- include "endcap.containerSecurity" . | nindent 2 }}
env:
  - name: ENDCAP_PROFILE
    value: cluster
  - name: ENDCAP_LOG_FORMAT
    value: json
  {{- with include "endcap.secretEnv" .Values.spark.secretEnv }}{{ . | trim | nindent 2 }}{{ end }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
  - name: workspace
    mountPath: {{ .Values.workspace.mountPath }}
{{- with .Values.spark.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Configuration of Spark in pods with a read-only root; call with what the values add or have otherwise. */}}
{{- define "endcap.sparkConf" -}}
{{- $own := dict "spark.local.dir" "/tmp" "spark.sql.warehouse.dir" "/tmp/warehouse" "spark.jars.ivy" "/tmp/ivy" -}}
{{- toYaml (mergeOverwrite $own (deepCopy .)) -}}
{{- end -}}

{{/* Rules of a driver's Role: it makes its executors, their service and their configuration, and takes them away by label. */}}
{{- define "endcap.sparkDriverRules" -}}
- apiGroups: [""]
  resources: [pods, services, configmaps, persistentvolumeclaims]
  verbs: [get, list, watch, create, update, patch, delete, deletecollection]
{{- end -}}
