{{/* A quantity of memory or storage, as Kubernetes writes it, in bytes. */}}
{{- define "endcap.bytes" -}}
{{- $factors := dict "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 -}}
{{- $unit := regexFind "[A-Za-z]+$" . -}}
{{- printf "%.0f" (mulf (trimSuffix $unit . | float64) (ternary (get $factors $unit) 1 (hasKey $factors $unit))) -}}
{{- end -}}
