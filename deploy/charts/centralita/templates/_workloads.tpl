{{/*
The workloads that are rendered: name -> everything about it, as JSON. `services` decides what there is, files/processes.json (made from the
code) what each needs: `defaults` below `services.<name>` below its role.
*/}}
{{- define "centralita.workloads" -}}
{{- $root := . -}}
{{- $facts := .Files.Get "files/processes.json" | fromJson -}}
{{- $out := dict -}}
{{- range $service, $given := .Values.services -}}
{{- $given = $given | default dict -}}
{{- $base := mergeOverwrite (deepCopy $root.Values.defaults) (deepCopy (omit $given "roles")) -}}
{{- $roles := $given.roles | default (dict "" dict) -}}
{{- range $role, $own := $roles -}}
{{- $name := ternary (printf "%s-%s" $service $role) $service (ne $role "") -}}
{{- $w := mergeOverwrite (deepCopy $base) (deepCopy ($own | default dict)) -}}
{{- $fact := get $facts $name -}}
{{- if not $fact -}}
{{- fail (printf "centralita: services.%s is no service of Centralita: it is one of %s." ($name | replace "-" "." | replace "audit.log" "audit-log") (keys $facts | sortAlpha | join ", ")) -}}
{{- end -}}
{{- if eq $name "lag-exporter" -}}
{{- $_ := set $w "enabled" (and $w.enabled $root.Values.monitoring.lagExporter.enabled) -}}
{{- $_ := set $w "replicas" $root.Values.monitoring.lagExporter.replicas -}}
{{- end -}}
{{- if $w.enabled -}}
{{- $_ := set $w "name" $name -}}
{{- $_ := set $w "fact" $fact -}}
{{- $hpa := $w.autoscaling.hpa.enabled -}}
{{- $keda := $w.autoscaling.keda.enabled -}}
{{- $_ := set $w "scaled" (or $hpa $keda) -}}
{{- $_ := set $w "most" (ternary $w.autoscaling.hpa.maxReplicas (ternary $w.autoscaling.keda.maxReplicas $w.replicas $keda) $hpa | int) -}}
{{- $_ := set $w "fewest" (ternary $w.autoscaling.hpa.minReplicas (ternary $w.autoscaling.keda.minReplicas $w.replicas $keda) $hpa | int) -}}
{{- $_ := set $w "drainAtLeast" (add (int $w.lifecycle.preStopSleepSeconds) (int $w.lifecycle.drainSeconds) 10) -}}
{{- $_ := set $w "grace" (int ($w.terminationGracePeriodSeconds | default $w.drainAtLeast)) -}}
{{- $_ := set $out $name $w -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $out -}}
{{- end }}

{{/* Partitions of every topic, by the profile that was chosen at installation. */}}
{{- define "centralita.partitions" -}}
{{- get (dict "small" "12" "medium" "48" "large" "192") .Values.kafka.topics.profile -}}
{{- end }}

{{/* A database as the values describe it, over its defaults, as JSON. (dict "root" $ "database" "audit-log") */}}
{{- define "centralita.database" -}}
{{- $v := .root.Values.postgres -}}
{{- $own := get $v .database -}}
{{- $all := mergeOverwrite (deepCopy $v.defaults) (deepCopy ($own | default dict)) -}}
{{- $_ := set $all "database" ($all.database | default (.database | replace "-" "_")) -}}
{{- $_ := set $all "existingSecret" ($all.existingSecret | default (printf "%s%s-app" $v.secretPrefix .database)) -}}
{{- $_ := set $all "relayExistingSecret" ($all.relayExistingSecret | default (printf "%s%s-relay" $v.secretPrefix .database)) -}}
{{- $_ := set $all "ownerExistingSecret" ($all.ownerExistingSecret | default (.root.Values.migrations.existingSecret | default (printf "%s%s-owner" $v.secretPrefix .database))) -}}
{{- $_ := set $all "appRole" ($all.appRole | default (printf "%s_app" $all.database)) -}}
{{- $_ := set $all "relayRole" ($all.relayRole | default (printf "%s_relay" $all.database)) -}}
{{- toJson $all -}}
{{- end }}
