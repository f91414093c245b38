{{/* Topics as JSON: settings by name, which ends as endcap/contracts/topics.py says. */}}
{{- define "endcap.topics" -}}
{{- $prefix := include "endcap.fullname" . -}}
{{- $topics := dict -}}
{{- range $stem := list "events" "impressions" "rejected" "catalogue" -}}
{{- $_ := set $topics (printf "%s.%s.v1" $prefix $stem) (get $.Values.kafka.topics $stem) -}}
{{- end -}}
{{- with .Values.kafka.topics.former }}
{{- if .keep -}}
{{- $_ := set $topics (include "endcap.formerTopic" $) .events -}}
{{- $_ := set $topics (include "endcap.formerDeadLetterTopic" $) .deadLetter -}}
{{- end -}}
{{- end -}}
{{- toJson $topics -}}
{{- end -}}

{{/* Copies of each partition: three where there are brokers for it. How many an existing Kafka has is not known here. */}}
{{- define "endcap.topicReplicas" -}}
{{- $brokers := ternary (int .Values.kafka.replicas) 3 .Values.kafka.enabled -}}
{{- int .Values.kafka.topics.replicas | default (min 3 $brokers) -}}
{{- end -}}

{{/* Copies that have a message before it is confirmed: all but one, so that one broker may be away. */}}
{{- define "endcap.topicInSync" -}}
{{- int .Values.kafka.topics.minInSyncReplicas | default (max 1 (sub (int (include "endcap.topicReplicas" .)) 1)) -}}
{{- end -}}

{{- define "endcap.topicChecks" -}}
{{- $replicas := int (include "endcap.topicReplicas" .) -}}
{{- if and .Values.kafka.enabled (gt $replicas (int .Values.kafka.replicas)) -}}
{{- fail (printf "kafka.topics.replicas: %d copies need as many brokers, and kafka.replicas is %v" $replicas .Values.kafka.replicas) -}}
{{- end -}}
{{- if gt (int (include "endcap.topicInSync" .)) $replicas -}}
{{- fail (printf "kafka.topics.minInSyncReplicas: %v is more than the %d copies of a partition, so that nothing could be written" .Values.kafka.topics.minInSyncReplicas $replicas) -}}
{{- end -}}
{{- end -}}

{{/* Topics of a release that had no collector go only when they are kept: Strimzi deletes a topic with its resource. */}}
{{- define "endcap.formerTopicsStay" -}}
{{- if and .Values.kafka.topics.enabled (include "endcap.kafkaName" .) (not .Values.kafka.topics.former.keep) -}}
{{- range $name := list (include "endcap.formerTopic" .) (include "endcap.formerDeadLetterTopic" .) -}}
{{- $live := lookup "kafka.strimzi.io/v1" "KafkaTopic" $.Release.Namespace $name -}}
{{- $annotations := dig "metadata" "annotations" dict $live | default dict -}}
{{- if and (eq (get $annotations "meta.helm.sh/release-name") $.Release.Name) (ne (get $annotations "helm.sh/resource-policy") "keep") -}}
{{- fail (printf "kafka.topics.former.keep: this upgrade would delete topic %s with its events: set it to true until they are drained (charts/endcap/README.md, Topics), or keep the topic with `kubectl annotate kafkatopic %s --namespace %s helm.sh/resource-policy=keep` and upgrade once with the values before" $name $name $.Release.Namespace) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
