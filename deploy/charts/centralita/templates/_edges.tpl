{{/*
Who may speak to whom: component -> {targets: [...], calls: {component: [ports]}, callers: {component: [ports]}, public, metrics}. Only what the code
does is here; the test of the chart compares it with the documented graph.
*/}}
{{- define "centralita.edges" -}}
{{- $root := . -}}
{{- $v := .Values -}}
{{- $workloads := include "centralita.workloads" . | fromJson -}}
{{- $out := dict -}}
{{- range $name, $w := $workloads -}}
{{- $fact := $w.fact -}}
{{- $targets := list -}}
{{- if $fact.kafka }}{{ $targets = append $targets "kafka" }}{{ end -}}
{{- if or $fact.database $fact.keyring }}{{ $targets = append $targets "postgres" }}{{ end -}}
{{- if has "OIDC_ISSUER" $fact.settings }}{{ $targets = append $targets "idp" }}{{ end -}}
{{- if and (has "MEDIA_DIR" $fact.settings) $v.media.s3.bucket }}{{ $targets = append $targets "s3" }}{{ end -}}
{{- if and (eq $name "lag-exporter") $v.archive.enabled $v.archive.s3.bucket }}{{ $targets = append $targets "s3" }}{{ end -}}
{{- if $fact.graph }}{{ $targets = append $targets "graph" }}{{ end -}}
{{- if and $fact.keyring (ne $v.kms.provider "local") }}{{ $targets = append $targets "kms" }}{{ end -}}
{{- if $v.otel.exporterEndpoint }}{{ $targets = append $targets "otel" }}{{ end -}}
{{- $calls := dict -}}
{{- range $fact.calls -}}
{{- if hasKey $workloads . }}{{ $_ := set $calls . (list 8080) }}{{ end -}}
{{- end -}}
{{- if and (eq $name "gateway") $v.platformPage.enabled -}}
{{- range $part, $other := $workloads -}}
{{- if ne $part "gateway" }}{{ $_ := set $calls $part (ternary (list 8080 9090) (list 9090) $other.fact.tokens) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- $_ := set $out $name (dict "targets" $targets "calls" $calls "callers" (dict) "public" $fact.public "metrics" true "w" $w) -}}
{{- end -}}
{{- range $name, $job := include "centralita.jobs" . | fromJson -}}
{{- $calls := dict -}}
{{- if $job.callsAll -}}
{{- range $part, $w := $workloads }}{{ $_ := set $calls $part (ternary (list 8080 9090) (list 9090) $w.fact.api) }}{{ end -}}
{{- end -}}
{{- $_ := set $out $name (dict "targets" $job.targets "calls" $calls "callers" (dict) "public" false "metrics" false) -}}
{{- end -}}
{{- range $name, $edge := $out -}}
{{- range $part, $ports := $edge.calls }}{{ $_ := set (get $out $part).callers $name $ports }}{{ end -}}
{{- end -}}
{{- toJson $out -}}
{{- end }}

{{/* The Jobs that are rendered: component -> {targets, callsAll}, and of those that fill a projection again {projection, fact} with the facts of its process, as JSON. */}}
{{- define "centralita.jobs" -}}
{{- $v := .Values -}}
{{- $workloads := include "centralita.workloads" . | fromJson -}}
{{- $out := dict -}}
{{- if $workloads -}}
{{- if ne $v.migrations.mode "none" }}{{ $_ := set $out "migrate" (dict "targets" (list "postgres")) }}{{ end -}}
{{- if eq $v.kafka.topics.manage "job" }}{{ $_ := set $out "topics" (dict "targets" (list "kafka")) }}{{ end -}}
{{- if and $v.jobs.replay.enabled (hasKey $workloads "billing") }}{{ $_ := set $out "replay" (dict "targets" (list "kafka" "postgres")) }}{{ end -}}
{{- if and $v.jobs.verify.enabled (hasKey $workloads "audit-log") }}{{ $_ := set $out "verify" (dict "targets" (list "kafka" "postgres")) }}{{ end -}}
{{- /* Only with migrations of ours does the chart know the owner of the tables. */}}
{{- if and $v.jobs.projections.enabled (ne $v.migrations.mode "none") -}}
{{- range $process, $w := $workloads -}}
{{- $targets := concat (list "kafka" "postgres") (ternary (list "kms") (list) (and $w.fact.keyring (ne $v.kms.provider "local"))) -}}
{{- range $projection, $topics := $w.fact.projections }}{{ $_ := set $out (printf "projection-%s" $projection) (dict "targets" $targets "projection" $projection "fact" $w.fact) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if $v.archive.enabled }}{{ $_ := set $out "archive" (dict "targets" (concat (list "kafka") (ternary (list "s3") (list) (ne $v.archive.s3.bucket "")))) }}{{ end -}}
{{- if and $v.tests.enabled $v.tests.run }}{{ $_ := set $out "selftest" (dict "targets" (list "kafka") "callsAll" true) }}{{ end -}}
{{- end -}}
{{- toJson $out -}}
{{- end }}

{{/* Port of an address: its own, or that of its scheme. */}}
{{- define "centralita.portOf" -}}
{{- $url := urlParse . -}}
{{- $port := regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) -}}
{{- $port | default (ternary "443" "80" (eq $url.scheme "https")) -}}
{{- end }}

{{/* Peers of "the internet": every address that is not private. */}}
{{- define "centralita.internet" -}}
{{- $four := list -}}
{{- $six := list -}}
{{- range .Values.networkPolicy.exceptCidrs -}}
{{- if contains ":" . }}{{ $six = append $six . }}{{ else }}{{ $four = append $four . }}{{ end -}}
{{- end -}}
{{- $peers := list (dict "ipBlock" (dict "cidr" "0.0.0.0/0" "except" $four)) (dict "ipBlock" (dict "cidr" "::/0" "except" $six)) -}}
{{- toYaml $peers -}}
{{- end }}

{{/* One egress rule: (dict "peers" list "ports" list of numbers). */}}
{{- define "centralita.egressRule" -}}
- to:
    {{- toYaml .peers | nindent 4 }}
  ports:
    {{- range uniq .ports }}
    - { protocol: TCP, port: {{ int . }} }
    {{- end }}
{{- end }}

{{/* Egress to a target by its name. (dict "root" "target" "cilium" bool) */}}
{{- define "centralita.egressTo" -}}
{{- $root := .root -}}
{{- $v := $root.Values -}}
{{- $e := $v.networkPolicy.egress -}}
{{- $cluster := list (dict "namespaceSelector" (dict)) -}}
{{- $internet := include "centralita.internet" $root | fromYamlArray -}}
{{- $proxied := and $v.egressProxy.url (has .target (list "graph" "idp")) -}}
{{- if $proxied -}}
{{ include "centralita.egressRule" (dict "peers" ($v.egressProxy.peers | default $cluster) "ports" (list (include "centralita.portOf" $v.egressProxy.url))) }}
{{- else if eq .target "kafka" -}}
{{- $ports := list -}}
{{- range splitList "," $v.kafka.brokers }}{{ $ports = append $ports (regexFind "[0-9]+$" (trim .) | int) }}{{ end -}}
{{ include "centralita.egressRule" (dict "peers" $e.kafka "ports" (concat $ports $e.kafkaPorts)) }}
{{- else if eq .target "postgres" -}}
{{- $ports := list -}}
{{- range $name, $_ := omit $v.postgres "defaults" "secretPrefix" -}}
{{- $db := include "centralita.database" (dict "root" $root "database" $name) | fromJson -}}
{{- $ports = append $ports (int $db.port) -}}
{{- if $db.pooler.host }}{{ $ports = append $ports (int $db.pooler.port) }}{{ end -}}
{{- end -}}
{{ include "centralita.egressRule" (dict "peers" $e.postgres "ports" $ports) }}
{{- else if eq .target "idp" -}}
{{ include "centralita.egressRule" (dict "peers" ($e.idp | default $internet) "ports" (list (include "centralita.portOf" ($v.oidc.issuer | default "https://id")))) }}
{{- else if eq .target "graph" -}}
{{ include "centralita.egressRule" (dict "peers" ($e.graph | default $internet) "ports" (list (include "centralita.portOf" $v.whatsapp.apiBase) 443)) }}
{{- else if eq .target "s3" -}}
{{- $ports := list -}}
{{- range list $v.media.s3 $v.archive.s3 }}{{ if .bucket }}{{ $ports = append $ports (include "centralita.portOf" ((.endpoint | default "") | default "https://s3")) }}{{ end }}{{ end -}}
{{ include "centralita.egressRule" (dict "peers" ($e.s3 | default $internet) "ports" $ports) }}
{{- else if eq .target "kms" -}}
{{ include "centralita.egressRule" (dict "peers" ($e.kms | default $cluster) "ports" (list (include "centralita.portOf" ($v.kms.vault.address | default "https://vault:8200")))) }}
{{- else if eq .target "otel" -}}
{{ include "centralita.egressRule" (dict "peers" ($e.otel | default $cluster) "ports" (list (include "centralita.portOf" $v.otel.exporterEndpoint))) }}
{{- end -}}
{{- end }}
