{{/*
Keys that were removed or renamed, by their path: the sentence that mends the values. The schema lets them through (it cannot say what became
of a key), and UPGRADING.md tells the same. Chart 0.1.0 is the first, so these are the names that people bring from other charts.
*/}}
{{- define "centralita.deprecations" -}}
{{- $gone := dict
  "replicaCount" "replicaCount is not used: set services.<name>.replicas, or defaults.replicas for all."
  "serviceMonitor" "serviceMonitor is not used: set monitoring.serviceMonitor."
  "ingress" "ingress is not used: the webhook and the gateway are exposed apart, by exposure.webhook and exposure.gateway."
  "extraDeploy" "extraDeploy is not used: set extraObjects."
  "commonEnv" "commonEnv is not used: set defaults.env."
-}}
{{- $found := list -}}
{{- range $key, $say := $gone -}}
{{- if hasKey $.Values $key }}{{ $found = append $found $say }}{{ end -}}
{{- end -}}
{{- if $found -}}
{{- fail (printf "\n\nThese values have other names (see UPGRADING.md):\n  - %s\n" (join "\n  - " (sortAlpha $found))) -}}
{{- end -}}
{{- end }}
