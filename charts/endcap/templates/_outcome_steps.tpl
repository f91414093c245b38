{{/* A duration as Kubernetes writes it, 1h30m, in seconds. */}}
{{- define "endcap.seconds" -}}
{{- $seconds := 0 -}}
{{- range regexFindAll "[0-9]+[hms]" . -1 -}}
{{- $seconds = add $seconds (mul (regexFind "[0-9]+" . | int) (get (dict "h" 3600 "m" 60 "s" 1) (regexFind "[hms]" .))) -}}
{{- end -}}
{{- $seconds -}}
{{- end -}}

{{/* Guardrails on outcomes need steps that are longer than the time outcomes are waited for; a step that somebody ends is long enough. */}}
{{- define "endcap.outcomeStepChecks" -}}
{{- $minutes := .Values.outcomes.listMinutes -}}
{{- $steps := .Values.rollouts.steps -}}
{{- range $guardrail := (.Values.rollouts.analysis).guardrails -}}
{{- if has $guardrail.builtIn (list "clickThrough" "conversion") -}}
{{- if not $steps -}}
{{- fail (printf "rollouts.steps: endcap's own steps are too short for guardrail %s, which counts a list %v minutes after it was shown; give steps longer than outcomes.listMinutes" $guardrail.name $minutes) -}}
{{- end -}}
{{- range $index, $step := $steps -}}
{{- $pause := ternary ($step.pause | default dict) (dict "duration" "5m") (hasKey $step "pause") -}}
{{- $lasts := ternary (include "endcap.seconds" ($pause.duration | default "")) "0" (hasKey $pause "duration") -}}
{{- if and (or (hasKey $pause "duration") (hasKey $pause "minRequests")) (le (float64 $lasts) (mulf $minutes 60)) -}}
{{- fail (printf "rollouts.steps[%d].pause.duration: %v is too short for guardrail %s, which counts a list %v minutes after it was shown; make it longer than outcomes.listMinutes, or leave out the guardrail" $index ($pause.duration | default "none") $guardrail.name $minutes) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
