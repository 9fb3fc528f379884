{{- define "deps.labels" -}}
{{- $own := dict "app.kubernetes.io/name" .Chart.Name "app.kubernetes.io/instance" .Release.Name "app.kubernetes.io/managed-by" .Release.Service "app.kubernetes.io/part-of" "centralita" "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") -}}
{{- toYaml (merge $own .Values.commonLabels (.Values.global.commonLabels | default dict)) -}}
{{- end }}

{{/* Labels of what belongs to the Kafka cluster: operators find it by this. */}}
{{- define "deps.kafkaLabels" -}}
strimzi.io/cluster: {{ .Values.kafka.cluster }}
{{ include "deps.labels" . }}
{{- end }}

{{- define "deps.partitions" -}}
{{- get (dict "small" 12 "medium" 48 "large" 192) .Values.kafka.topics.profile | required "kafka.topics.profile must be small, medium or large" -}}
{{- end }}

{{/* Databases in the chart centralita's order, by the name that is used in secrets. */}}
{{- define "deps.databases" -}}
ingest: ingest
conversation: conversation
routing: routing
billing: billing
billing-replay: billing_replay
audit-log: audit_log
gateway: gateway
keyring: keyring
{{- end }}

{{/* Roles of a database, as a list. `billing-replay` is where the nightly replay folds the log again. The gateway's sessions and the keyring publish nothing. (the name in secrets) */}}
{{- define "deps.roles" -}}
{{- if has . (list "gateway" "keyring") }}["owner", "app"]{{ else }}["owner", "app", "relay"]{{ end -}}
{{- end }}

{{- define "deps.guards" -}}
{{- $kafka := .Values.kafka -}}
{{- if $kafka.enabled -}}
{{- if gt (int $kafka.replicationFactor) (int $kafka.brokers.replicas) -}}
{{- fail (printf "kafka.replicationFactor is %v, but there are %v brokers: set kafka.brokers.replicas to at least %v" $kafka.replicationFactor $kafka.brokers.replicas $kafka.replicationFactor) -}}
{{- end -}}
{{- if ge (int $kafka.minInsyncReplicas) (int $kafka.replicationFactor) -}}
{{- if gt (int $kafka.replicationFactor) 1 -}}
{{- fail (printf "kafka.minInsyncReplicas is %v of %v copies: one broker away would stop all writing; set it to %v" $kafka.minInsyncReplicas $kafka.replicationFactor (sub (int $kafka.replicationFactor) 1)) -}}
{{- end -}}
{{- end -}}
{{- if not (has $kafka.users.authentication (list "scram-sha-512" "tls")) -}}
{{- fail "kafka.users.authentication must be scram-sha-512 or tls" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.postgres.enabled .Values.postgres.backup.enabled (not .Values.postgres.backup.destinationPath) -}}
{{- fail "postgres.backup.destinationPath is empty: say where backups go, for example s3://bucket/path" -}}
{{- end -}}
{{- if and .Values.postgres.enabled (ge (int .Values.postgres.synchronousStandbys) (int .Values.postgres.instances)) -}}
{{- fail (printf "postgres.synchronousStandbys is %v, but only %v of the instances can be standbys: every commit would wait for ever" .Values.postgres.synchronousStandbys (sub (int .Values.postgres.instances) 1)) -}}
{{- end -}}
{{- if not (has .Values.secrets.roles (list "generate" "store" "none")) -}}
{{- fail "secrets.roles must be generate, store or none" -}}
{{- end -}}
{{- if and (or (eq .Values.secrets.roles "store") .Values.secrets.platform) (not .Values.secrets.store.name) -}}
{{- fail "secrets.store.name is empty: name the SecretStore or ClusterSecretStore that secrets are read from" -}}
{{- end -}}
{{- if and .Values.certificates.enabled (not .Values.certificates.issuerRef.name) (not .Values.certificates.acme.email) -}}
{{- fail "certificates need an issuer: set certificates.issuerRef.name, or certificates.acme.email for one of our own" -}}
{{- end -}}
{{- end }}
