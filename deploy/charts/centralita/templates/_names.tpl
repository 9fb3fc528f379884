{{/* Name of the chart, for labels. */}}
{{- define "centralita.chartName" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{/* What all names begin with. */}}
{{- define "centralita.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/*
Name of a part: `<fullname>-<part>` within `max` characters (63 when not given). A name that is too long is cut in its first half and gets
eight characters of a digest, so that two long releases do not meet.
(dict "root" $ "part" "gateway" "max" 52)
*/}}
{{- define "centralita.name" -}}
{{- $full := include "centralita.fullname" .root -}}
{{- $max := int (.max | default 63) -}}
{{- $name := printf "%s-%s" $full .part -}}
{{- if le (len $name) $max -}}
{{- $name -}}
{{- else -}}
{{- $room := sub $max (add (len .part) 10) | int -}}
{{- printf "%s-%s-%s" ($full | trunc $room | trimSuffix "-") (sha256sum $full | trunc 8) .part -}}
{{- end -}}
{{- end }}

{{- define "centralita.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace -}}
{{- end }}

{{/* Labels by which a part is selected; they never change. (dict "root" $ "component" "gateway") */}}
{{- define "centralita.selector" -}}
app.kubernetes.io/name: {{ include "centralita.chartName" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{/* Labels of an object, as a map: what the user adds never replaces what selects. (dict "root" $ "component" "gateway" "extra" (dict)) */}}
{{- define "centralita.labels" -}}
{{- $root := .root -}}
{{- $own := include "centralita.selector" . | fromYaml -}}
{{- $_ := set $own "app.kubernetes.io/version" ($root.Chart.AppVersion | toString) -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" $root.Release.Service -}}
{{- $_ := set $own "app.kubernetes.io/part-of" "centralita" -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") -}}
{{- toYaml (merge $own (.extra | default dict) $root.Values.commonLabels (($root.Values.global).commonLabels | default dict)) -}}
{{- end }}

{{/* Labels of a pod: no version of the chart, so that a new chart with the same pods restarts none. */}}
{{- define "centralita.podLabels" -}}
{{- $own := include "centralita.selector" . | fromYaml -}}
{{- toYaml (merge $own (.extra | default dict) .root.Values.commonLabels ((.root.Values.global).commonLabels | default dict)) -}}
{{- end }}

{{/* Annotations of an object, empty when there are none. (dict "root" $ "own" (dict)) */}}
{{- define "centralita.annotations" -}}
{{- $all := merge (deepCopy (.own | default dict)) .root.Values.commonAnnotations ((.root.Values.global).commonAnnotations | default dict) -}}
{{- if $all -}}
{{- toYaml $all -}}
{{- end -}}
{{- end }}

{{/* metadata of an object. (dict "root" $ "part" "gateway" "component" "gateway" "annotations" (dict) "labels" (dict) "max" 63) */}}
{{- define "centralita.metadata" -}}
name: {{ .name | default (include "centralita.name" .) }}
namespace: {{ include "centralita.namespace" .root }}
labels:
  {{- include "centralita.labels" (dict "root" .root "component" .component "extra" .labels) | nindent 2 }}
{{- with include "centralita.annotations" (dict "root" .root "own" .annotations) }}
annotations:
  {{- . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Image of an app. (dict "root" $ "app" "ingest" "image" $workload.image) */}}
{{- define "centralita.image" -}}
{{- $all := .root.Values.image -}}
{{- $own := .image | default dict -}}
{{- $registry := (.root.Values.global).imageRegistry | default ($own.registry | default $all.registry) -}}
{{- $repository := $own.repository | default (ternary (printf "%s/%s" $all.repository .app) .app (ne $all.repository "")) -}}
{{- $digest := $own.digest | default (get $all.digests .app) -}}
{{- $tag := $own.tag | default $all.tag | default .root.Chart.AppVersion -}}
{{- if $registry }}{{ $registry | trimSuffix "/" }}/{{ end }}{{ $repository }}
{{- if $digest }}@{{ $digest }}{{ else }}:{{ $tag }}{{ end -}}
{{- end }}

{{/* Pull secrets of a pod, as YAML of a list, empty when there are none. */}}
{{- define "centralita.pullSecrets" -}}
{{- $names := list -}}
{{- range concat ((.Values.global).imagePullSecrets | default list) .Values.image.pullSecrets -}}
{{- $names = append $names (kindIs "string" . | ternary . (get (kindIs "map" . | ternary . dict) "name")) -}}
{{- end -}}
{{- range uniq $names }}
- name: {{ . }}
{{- end -}}
{{- end }}

{{/* A value that `tpl` may fill in. (dict "root" $ "value" x) */}}
{{- define "centralita.tpl" -}}
{{- tpl (kindIs "string" .value | ternary .value (toYaml .value)) .root -}}
{{- end }}

{{/* "true" where the platform gives users and groups to pods. */}}
{{- define "centralita.adaptSecurityContext" -}}
{{- $mode := .Values.adaptSecurityContext -}}
{{- if or (eq $mode "force") (and (eq $mode "auto") (.Capabilities.APIVersions.Has "security.openshift.io/v1")) -}}true{{- end -}}
{{- end }}

{{/* Restricted by the Pod Security Standards. */}}
{{- define "centralita.podSecurityContext" -}}
{{- $base := dict "runAsNonRoot" true "seccompProfile" (dict "type" "RuntimeDefault") -}}
{{- if not (include "centralita.adaptSecurityContext" .root) -}}
{{- $_ := merge $base (dict "runAsUser" 65532 "runAsGroup" 65532 "fsGroup" 65532 "fsGroupChangePolicy" "OnRootMismatch") -}}
{{- end -}}
{{- toYaml (mergeOverwrite $base (deepCopy (.own | default dict))) -}}
{{- end }}

{{- define "centralita.securityContext" -}}
{{- $base := dict "allowPrivilegeEscalation" false "privileged" false "readOnlyRootFilesystem" true "runAsNonRoot" true "capabilities" (dict "drop" (list "ALL")) "seccompProfile" (dict "type" "RuntimeDefault") -}}
{{- if not (include "centralita.adaptSecurityContext" .root) -}}
{{- $_ := merge $base (dict "runAsUser" 65532 "runAsGroup" 65532) -}}
{{- end -}}
{{- toYaml (mergeOverwrite $base (deepCopy (.own | default dict))) -}}
{{- end }}

{{/* A quantity of memory in MiB, whole. */}}
{{- define "centralita.mebibytes" -}}
{{- $q := . | toString -}}
{{- if regexMatch "^[0-9]+Mi$" $q }}{{ trimSuffix "Mi" $q | int }}
{{- else if regexMatch "^[0-9]+Gi$" $q }}{{ mul (trimSuffix "Gi" $q | int) 1024 }}
{{- else if regexMatch "^[0-9.]+Gi$" $q }}{{ mulf (trimSuffix "Gi" $q | float64) 1024 | floor | int }}
{{- else if regexMatch "^[0-9]+M$" $q }}{{ div (mul (trimSuffix "M" $q | int64) 1000000) 1048576 }}
{{- else if regexMatch "^[0-9]+G$" $q }}{{ div (mul (trimSuffix "G" $q | int64) 1000000000) 1048576 }}
{{- else if regexMatch "^[0-9]+Ki$" $q }}{{ div (trimSuffix "Ki" $q | int64) 1024 }}
{{- else if regexMatch "^[0-9]+$" $q }}{{ div ($q | int64) 1048576 }}
{{- else }}{{ fail (printf "%s is no quantity of memory that the chart can derive a heap from: write it in Mi or Gi." $q) }}
{{- end -}}
{{- end }}

{{/* A scalar as text: numbers without an exponent. */}}
{{- define "centralita.text" -}}
{{- if kindIs "float64" . -}}
{{- if eq . (floor .) }}{{ printf "%.0f" . }}{{ else }}{{ . }}{{ end -}}
{{- else -}}
{{- . | toString -}}
{{- end -}}
{{- end }}
