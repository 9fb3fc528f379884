{{/*
Pod spec of a Job with one container per entry of `containers`: (dict "name" "app" "args" "out").
(dict "root" "component" "containers" "initContainers" "serviceAccount" "restartPolicy")
*/}}
{{- define "centralita.jobPod" -}}
{{- $root := .root -}}
{{- $jobs := $root.Values.jobs -}}
{{- $all := dict "secrets" (dict) "config" (dict) "token" (dict) "folders" (dict) -}}
{{- range concat (.initContainers | default list) .containers -}}
{{- $out := .out -}}
{{- range $secret, $keys := $out.secrets -}}
{{- $_ := set $all.secrets $secret (merge (get $all.secrets $secret | default dict) $keys) -}}
{{- end -}}
{{- range list "config" "token" "folders" }}{{ $_ := set $all . (merge (get $all .) (get $out .)) }}{{ end -}}
{{- end -}}
metadata:
  labels:
    {{- include "centralita.podLabels" (dict "root" $root "component" .component "extra" $jobs.podLabels) | nindent 4 }}
  {{- with include "centralita.annotations" (dict "root" $root "own" $jobs.podAnnotations) }}
  annotations:
    {{- . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ .serviceAccount }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  restartPolicy: {{ .restartPolicy | default "OnFailure" }}
  {{- with include "centralita.pullSecrets" $root }}
  imagePullSecrets:
    {{- . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- include "centralita.podSecurityContext" (dict "root" $root) | nindent 4 }}
  terminationGracePeriodSeconds: 30
  {{- with include "centralita.scheduling" $jobs }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with .initContainers }}
  initContainers:
    {{- include "centralita.jobContainers" (dict "root" $root "containers" .) | nindent 4 }}
  {{- end }}
  containers:
    {{- include "centralita.jobContainers" . | nindent 4 }}
  volumes:
    {{- include "centralita.volumes" (dict "root" $root "out" $all) | nindent 4 }}
{{- end }}

{{- define "centralita.jobContainers" -}}
{{- range .containers }}
- name: {{ .name }}
  image: {{ include "centralita.image" (dict "root" $.root "app" .app) }}
  imagePullPolicy: {{ $.root.Values.image.pullPolicy }}
  args: {{ toJson .args }}
  securityContext:
    {{- include "centralita.securityContext" (dict "root" $.root) | nindent 4 }}
  env:
    {{- include "centralita.envList" (dict "root" $.root "out" .out) | nindent 4 }}
  resources:
    {{- toYaml $.root.Values.jobs.resources | nindent 4 }}
  volumeMounts:
    {{- include "centralita.mounts" (dict "root" $.root "out" .out) | nindent 4 }}
{{- end }}
{{- end }}

{{/* A ServiceAccount of a Job. (dict "root" "part" "annotations") */}}
{{- define "centralita.jobServiceAccount" }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "centralita.metadata" (merge (dict "component" .part "annotations" (merge (deepCopy .root.Values.jobs.serviceAccountAnnotations) (.annotations | default dict))) .) | nindent 2 }}
automountServiceAccountToken: false
{{- end }}

{{/* Environment of the container of a Job, all but migrations. (dict "root" "out" "job" "replay" "fact" of the process whose projection it fills) */}}
{{- define "centralita.jobEnv" -}}
{{- $root := .root -}}
{{- $v := $root.Values -}}
{{- $out := .out -}}
{{- include "centralita.processEnv" (dict "out" $out "memory" $v.jobs.resources.limits.memory "node" $v.defaults.node "logLevel" $v.defaults.logLevel) -}}
{{- if ne .job "migrate" }}{{ include "centralita.kafkaEnv" (dict "root" $root "out" $out "user" .job) }}{{ end -}}
{{- if eq .job "replay" -}}
{{- include "centralita.databaseEnv" (dict "root" $root "out" $out "database" "billing-replay" "prefix" "DATABASE" "secret" "existingSecret" "pooler" false) -}}
{{- include "centralita.databaseEnv" (dict "root" $root "out" $out "database" "billing" "prefix" "LIVE_DATABASE" "secret" "existingSecret" "pooler" false) -}}
{{- include "centralita.documentFile" (dict "out" $out "env" "ACCOUNTS_FILE" "from" $v.accounts) -}}
{{- else if eq .job "verify" -}}
{{- include "centralita.databaseEnv" (dict "root" $root "out" $out "database" "audit-log" "prefix" "DATABASE" "secret" "existingSecret" "pooler" false) -}}
{{- include "centralita.secretFile" (dict "out" $out "env" "AUDIT_SIGNING_KEY_FILE" "secret" $v.signingKeys.auditLog.existingSecret "key" $v.signingKeys.auditLog.key) -}}
{{- else if .fact -}}
{{- include "centralita.databaseEnv" (dict "root" $root "out" $out "database" .fact.database "prefix" "DATABASE_MIGRATOR" "secret" "ownerExistingSecret" "pooler" false) -}}
{{- if has "ACCOUNTS_FILE" .fact.settings }}{{ include "centralita.documentFile" (dict "out" $out "env" "ACCOUNTS_FILE" "from" $v.accounts) }}{{ end -}}
{{- if .fact.keyring }}{{ include "centralita.keyringEnv" (dict "root" $root "out" $out) }}{{ end -}}
{{- else if eq .job "archive" -}}
{{- include "centralita.archiveEnv" (dict "root" $root "out" $out) -}}
{{- include "centralita.secretFile" (dict "out" $out "env" "ARCHIVE_SIGNING_KEY_FILE" "secret" $v.signingKeys.archive.existingSecret "key" $v.signingKeys.archive.key) -}}
{{- else if eq .job "selftest" -}}
{{- range $name, $w := include "centralita.workloads" $root | fromJson -}}
{{- $setting := $name | replace "-" "_" | upper -}}
{{- if $w.fact.api }}{{ $_ := set $out.env (printf "SELFTEST_%s_URL" $setting) (include "centralita.url" (dict "root" $root "part" $name "port" 8080)) }}{{ end -}}
{{- $_ := set $out.env (printf "SELFTEST_%s_HEALTH_URL" $setting) (include "centralita.url" (dict "root" $root "part" $name "port" 9090)) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Containers of the migration Job, as JSON: one for each database that a rendered workload uses. */}}
{{- define "centralita.migrateContainers" -}}
{{- $root := . -}}
{{- $apps := dict -}}
{{- $keyring := false -}}
{{- range $name, $w := include "centralita.workloads" . | fromJson -}}
{{- with $w.fact.database }}{{ $_ := set $apps . $w.fact }}{{ end -}}
{{- $keyring = or $keyring $w.fact.keyring -}}
{{- end -}}
{{- $containers := list -}}
{{- range $database, $fact := $apps -}}
{{- $out := dict "env" (dict) "secrets" (dict) "config" (dict) "token" (dict) "folders" (dict) -}}
{{- include "centralita.migratorEnv" (dict "root" $root "out" $out "database" $database "relay" (ne $database "gateway")) -}}
{{- with $fact.role }}{{ $_ := set $out.env "INGEST_ROLE" "webhook" }}{{ end -}}
{{- $containers = append $containers (dict "name" $database "app" $fact.app "args" (list "migrate") "out" $out) -}}
{{- end -}}
{{- if $keyring -}}
{{- $out := dict "env" (dict) "secrets" (dict) "config" (dict) "token" (dict) "folders" (dict) -}}
{{- include "centralita.migratorEnv" (dict "root" $root "out" $out "database" "keyring" "relay" false) -}}
{{- $containers = append $containers (dict "name" "keyring" "app" "cli" "args" (list "ops" "keyring" "migrate") "out" $out) -}}
{{- end -}}
{{- toJson $containers -}}
{{- end }}

{{- define "centralita.migratorEnv" -}}
{{- $db := include "centralita.database" (dict "root" .root "database" .database) | fromJson -}}
{{- include "centralita.jobEnv" (dict "root" .root "out" .out "job" "migrate") -}}
{{- include "centralita.databaseEnv" (dict "root" .root "out" .out "database" .database "prefix" "DATABASE_MIGRATOR" "secret" "ownerExistingSecret" "pooler" false) -}}
{{- $_ := set .out.env "DATABASE_APP_ROLE" $db.appRole -}}
{{- if .relay }}{{ $_ := set .out.env "DATABASE_RELAY_ROLE" $db.relayRole }}{{ end -}}
{{- end }}

{{/* A CronJob of one command. (dict "root" "job" "archive" "app" "cli" "args" (list) "schedule" "suspend" "deadline" "initContainers" "fact") */}}
{{- define "centralita.cronJob" -}}
{{- $root := .root -}}
{{- $jobs := $root.Values.jobs -}}
{{- $out := dict "env" (dict) "secrets" (dict) "config" (dict) "token" (dict) "folders" (dict) -}}
{{- include "centralita.jobEnv" (dict "root" $root "out" $out "job" .job "fact" .fact) -}}
{{- include "centralita.jobServiceAccount" (dict "root" $root "part" .job) }}
---
apiVersion: batch/v1
kind: CronJob
metadata:
  {{- include "centralita.metadata" (dict "root" $root "part" .job "component" .job "max" 52) | nindent 2 }}
spec:
  schedule: {{ .schedule | quote }}
  timeZone: Etc/UTC
  {{- if .suspend }}
  suspend: true
  {{- end }}
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 3600
  successfulJobsHistoryLimit: {{ int $jobs.successfulJobsHistoryLimit }}
  failedJobsHistoryLimit: {{ int $jobs.failedJobsHistoryLimit }}
  jobTemplate:
    metadata:
      labels:
        {{- include "centralita.podLabels" (dict "root" $root "component" .job) | nindent 8 }}
    spec:
      backoffLimit: 1
      activeDeadlineSeconds: {{ int .deadline }}
      ttlSecondsAfterFinished: {{ int $jobs.ttlSecondsAfterFinished }}
      template:
        {{- include "centralita.jobPod" (dict "root" $root "component" .job "restartPolicy" "Never" "initContainers" .initContainers "containers" (list (dict "name" .job "app" .app "args" .args "out" $out)) "serviceAccount" (include "centralita.name" (dict "root" $root "part" .job))) | nindent 8 }}
{{- end }}
