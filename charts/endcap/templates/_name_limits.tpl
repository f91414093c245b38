{{/* Names that an operator or Kubernetes would refuse after the installation, refused before it. */}}

{{/*
What is made of the full name: a JSON list of (dict "what" WHOSE-NAME "text" THE-NAME "most" CHARACTERS "by" WHO "shorten" VALUE).
KServe's hosts and labels as its controller refuses them; the other operators' as their code builds them.
*/}}
{{- define "endcap.longNames" -}}
{{- $full := include "endcap.fullname" . -}}
{{- $all := list (dict "what" "label app.kubernetes.io/name" "text" (include "endcap.name" .) "most" 63 "by" "Kubernetes" "shorten" "nameOverride") -}}
{{- if .Values.serving.enabled -}}
{{- if eq .Values.serving.deploymentMode "Standard" -}}
{{- $services := list (dict "what" "InferenceService" "name" $full "shorten" "fullnameOverride") -}}
{{- if .Values.rollouts.operator.enabled -}}
{{- $services = append $services (dict "what" "candidate's InferenceService" "name" (printf "%s-candidate" $full) "shorten" "fullnameOverride") -}}
{{- end -}}
{{- range .Values.experiments.variants -}}
{{- $services = append $services (dict "what" (printf "InferenceService of variant %s" .name) "name" (printf "%s-%s" $full .name) "shorten" "fullnameOverride, the variant's name") -}}
{{- end -}}
{{- range $services -}}
{{- $all = append $all (dict "what" (printf "label app of the %s" .what) "text" (printf "isvc.%s-predictor" .name) "most" 63 "by" "KServe" "shorten" .shorten) -}}
{{- $all = append $all (dict "what" (printf "host of the %s" .what) "text" (printf "%s-predictor-%s" .name $.Release.Namespace) "most" 63 "by" "KServe" "shorten" (printf "%s or the namespace" .shorten)) -}}
{{- end -}}
{{- else -}}
{{- $all = append $all (dict "what" "host of the revision that a rollout leaves" "text" (printf "prev-%s-predictor" $full) "most" 63 "by" "Knative" "shorten" "fullnameOverride") -}}
{{- $all = append $all (dict "what" "host of the InferenceService" "text" (printf "%s-%s" $full .Release.Namespace) "most" 63 "by" "KServe" "shorten" "fullnameOverride or the namespace") -}}
{{- end -}}
{{- end -}}
{{- if .Values.rollouts.operator.enabled -}}
{{- $all = append $all (dict "what" "rollout operator's Service" "text" (include "endcap.operatorName" .) "most" 63 "by" "Kubernetes" "shorten" "fullnameOverride") -}}
{{- end -}}
{{- if .Values.evidence.enabled -}}
{{- $all = append $all (dict "what" "CronJob of the evidence" "text" (printf "%s-evidence" $full) "most" 52 "by" "Kubernetes" "shorten" "fullnameOverride") -}}
{{- end -}}
{{- if .Values.redis.enabled -}}
{{- $all = append $all (dict "what" "revision label of Redis's StatefulSet" "text" (printf "%s-%s" (include "endcap.redisName" .) "0123456789") "most" 63 "by" "Kubernetes" "shorten" "fullnameOverride") -}}
{{- end -}}
{{- if .Values.collector.enabled -}}
{{- $all = append $all (dict "what" "revision label of the collector's StatefulSet" "text" (printf "%s-%s" (include "endcap.collectorName" .) "0123456789") "most" 63 "by" "Kubernetes" "shorten" "fullnameOverride") -}}
{{- end -}}
{{- if .Values.schemaRegistry.enabled -}}
{{- $all = append $all (dict "what" "revision label of the schema registry's StatefulSet" "text" (printf "%s-%s" (include "endcap.schemaRegistryName" .) "0123456789") "most" 63 "by" "Kubernetes" "shorten" "fullnameOverride") -}}
{{- end -}}
{{- with include "endcap.streamRunner" . -}}
{{- if eq . "spark" -}}
{{- $all = append $all (dict "what" "Service of the stream's driver" "text" (printf "%s-ui-svc" (include "endcap.streamName" $)) "most" 63 "by" "the Spark operator" "shorten" "fullnameOverride") -}}
{{- else -}}
{{- $all = append $all (dict "what" "revision label of the stream's StatefulSet" "text" (printf "%s-%s" (include "endcap.streamName" $) "0123456789") "most" 63 "by" "Kubernetes" "shorten" "fullnameOverride") -}}
{{- end -}}
{{- end -}}
{{- if .Values.milvus.enabled -}}
{{- $all = append $all (dict "what" "Helm release of Milvus's etcd" "text" (printf "%s-etcd" $full) "most" 53 "by" "milvus-operator" "shorten" "fullnameOverride") -}}
{{- $all = append $all (dict "what" "revision label of a StatefulSet of Milvus's" "text" (printf "%s-minio-%s" $full "0123456789") "most" 63 "by" "Kubernetes" "shorten" "fullnameOverride") -}}
{{- end -}}
{{- if .Values.kafka.enabled -}}
{{- $all = append $all (dict "what" "Kafka broker's host name" "text" (printf "%s-%s-brokers-%d" $full $full (sub (int .Values.kafka.replicas) 1)) "most" 63 "by" "Strimzi" "shorten" "fullnameOverride (it is in there twice)") -}}
{{- $all = append $all (dict "what" "Kafka's Service" "text" (printf "%s-kafka-bootstrap" $full) "most" 63 "by" "Strimzi" "shorten" "fullnameOverride") -}}
{{- end -}}
{{- if and .Values.spark.enabled .Values.spark.schedule.enabled -}}
{{- $all = append $all (dict "what" "label of a scheduled Spark job" "text" (printf "%s-%s" (include "endcap.sparkName" .) "1790000000000000000") "most" 63 "by" "the Spark operator" "shorten" "fullnameOverride") -}}
{{- end -}}
{{- if .Values.feast.operator.enabled -}}
{{- $all = append $all (dict "what" "Service of Feast's registry" "text" (printf "feast-%s-registry" $full) "most" 63 "by" "feast-operator" "shorten" "fullnameOverride") -}}
{{- end -}}
{{- toJson $all -}}
{{- end -}}

{{- define "endcap.nameChecks" -}}
{{- $full := include "endcap.fullname" . -}}
{{- $excess := 0 -}}
{{- $worst := dict -}}
{{- range fromJsonArray (include "endcap.longNames" .) -}}
{{- if gt (sub (len .text) (int .most)) $excess -}}
{{- $excess = sub (len .text) (int .most) -}}
{{- $worst = . -}}
{{- end -}}
{{- end -}}
{{- with $worst -}}
{{- fail (printf "%s: %q (%s) has %d characters, and %s takes %d: shorten %s; the full name is now %q" (regexFind "^\\w+" .shorten) .text .what (len .text) .by (int .most) .shorten $full) -}}
{{- end -}}
{{- if and .Values.serving.enabled (not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $full)) -}}
{{- fail (printf "fullnameOverride: KServe takes lower-case letters, digits and dashes with a letter first, and the full name is %q" $full) -}}
{{- end -}}
{{- end -}}
