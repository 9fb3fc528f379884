{{/* "true" when a resource of another operator is to be rendered. (dict "root" $ "api" "monitoring.coreos.com/v1" "kind" "PodMonitor" "mode" "skipIfMissing") */}}
{{- define "centralita.knows" -}}
{{- $known := or (.root.Capabilities.APIVersions.Has (printf "%s/%s" .api .kind)) (eq .mode "alwaysRender") -}}
{{- if and (not $known) (eq .mode "failIfMissing") -}}
{{- fail (printf "the cluster does not know %s of %s: install its operator first, or set the mode to skipIfMissing" .kind .api) -}}
{{- end -}}
{{- if $known -}}true{{- end -}}
{{- end }}

{{/* How a target is scraped, for both kinds of monitor. Our own label `service` stays: the operator would replace it. (dict "of" values) */}}
{{- define "centralita.scrape" -}}
port: metrics
path: /metrics
interval: {{ .of.interval }}
scrapeTimeout: {{ .of.scrapeTimeout }}
honorLabels: true
{{- with .of.relabelings }}
relabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .of.metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* A text of files/alerts or files/rules with its `${names}` filled in. (dict "text" "…" "values" (dict)) */}}
{{- define "centralita.fill" -}}
{{- $text := .text -}}
{{- range $name, $value := .values -}}
{{- $whole := and (kindIs "float64" $value) (eq (floor $value) ($value | float64)) -}}
{{- $text = replace (printf "${%s}" $name) (ternary ($value | int64 | toString) ($value | toString) $whole) $text -}}
{{- end -}}
{{- $text -}}
{{- end }}

{{/* What every rule may name: series of this release, in this namespace. Long names are cut, so their beginning has to do. */}}
{{- define "centralita.ruleSelectors" -}}
{{- $prefix := include "centralita.fullname" . | trunc 30 -}}
{{- dict
  "ours" (printf "namespace=%q" (include "centralita.namespace" .))
  "pods" (printf "pod=~\"%s.*\"" $prefix)
  "autoscalers" (printf "horizontalpodautoscaler=~\"(keda-hpa-)?%s.*\"" $prefix)
  "budgets" (printf "poddisruptionbudget=~\"%s.*\"" $prefix)
  "migrations" (printf "job_name=~\"%s.*-migrate-.*\"" $prefix)
  "operations" (printf "job_name=~\"%s.*-(topics|replay|verify|projection|archive)(-.*)?\"" $prefix)
  | toJson -}}
{{- end }}
