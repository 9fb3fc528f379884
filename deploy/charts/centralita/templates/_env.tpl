{{/*
Environment and files of a container are gathered in `out`: `env` (name -> value; a name stands once, as server-side apply demands), `secrets`
(secret -> key -> true), `token` (projected tokens), `config` (keys of our
ConfigMap), `folders` (volumes that are written to). Secrets are files, never environment.
*/}}
{{/* Path of a key of a secret, which is mounted. (dict "out" $out "secret" "name" "key" "key") */}}
{{- define "centralita.secretPath" -}}
{{- $keys := get .out.secrets .secret | default dict -}}
{{- $_ := set $keys .key true -}}
{{- $_ := set .out.secrets .secret $keys -}}
/etc/centralita/secrets/{{ .secret }}/{{ .key }}
{{- end }}

{{/* A setting that is a file of a secret; nothing when no secret is named. (dict "out" "env" "secret" "key") */}}
{{- define "centralita.secretFile" -}}
{{- if .secret -}}
{{- $_ := set .out.env .env (include "centralita.secretPath" .) -}}
{{- end -}}
{{- end }}

{{/* A setting that is a document, of a secret or of our ConfigMap. (dict "out" "env" "from" .Values.accounts) */}}
{{- define "centralita.documentFile" -}}
{{- if .from.inline -}}
{{- $_ := set .out.config .from.key true -}}
{{- $_ := set .out.env .env (printf "/etc/centralita/config/%s" .from.key) -}}
{{- else -}}
{{- include "centralita.secretFile" (dict "out" .out "env" .env "secret" .from.existingSecret "key" .from.key) -}}
{{- end -}}
{{- end }}

{{/*
Address and credentials of a database. Role app goes through the pooler where there is one and the workload can.
(dict "root" "out" "database" "audit-log" "prefix" "DATABASE" "secret" name "pooler" true)
*/}}
{{- define "centralita.databaseEnv" -}}
{{- $db := include "centralita.database" (dict "root" .root "database" .database) | fromJson -}}
{{- $host := $db.host -}}
{{- $port := int $db.port -}}
{{- if and .pooler $db.pooler.host -}}
{{- $host = $db.pooler.host -}}
{{- $port = int $db.pooler.port -}}
{{- end -}}
{{- $query := printf "sslmode=%s" $db.sslmode -}}
{{- if and $db.ca.existingSecret (hasPrefix "verify" $db.sslmode) -}}
{{- $query = printf "%s&sslrootcert=%s" $query (include "centralita.secretPath" (dict "out" .out "secret" $db.ca.existingSecret "key" $db.ca.key)) -}}
{{- end -}}
{{- $_ := set .out.env (printf "%s_URL" .prefix) (printf "postgres://%s:%d/%s?%s" $host $port $db.database $query) -}}
{{- $secret := get $db .secret -}}
{{- range list "username" "password" -}}
{{- $_ := include "centralita.secretPath" (dict "out" $.out "secret" $secret "key" .) -}}
{{- end -}}
{{- $_ := set .out.env (printf "%s_CREDENTIALS_DIR" .prefix) (printf "/etc/centralita/secrets/%s" $secret) -}}
{{- end }}

{{/* How a process reaches the brokers, as the user of its name. (dict "root" "out" "user" "gateway" "own" $workload.kafka) */}}
{{- define "centralita.kafkaEnv" -}}
{{- $k := .root.Values.kafka -}}
{{- $own := .own | default dict -}}
{{- $username := $own.username | default ($k.users.username | default (printf "%s%s" $k.users.prefix .user)) -}}
{{- $secret := $own.existingSecret | default ($k.users.existingSecret | default $username) -}}
{{- $env := .out.env -}}
{{- $_ := set $env "KAFKA_BROKERS" $k.brokers -}}
{{- $_ := set $env "KAFKA_DRIVER" $k.driver -}}
{{- $_ := set $env "KAFKA_TOPIC_PARTITIONS" (include "centralita.partitions" .root) -}}
{{- $_ := set $env "KAFKA_TLS" ($k.tls.enabled | toString) -}}
{{- if $k.tls.enabled -}}
{{- include "centralita.secretFile" (dict "out" .out "env" "KAFKA_TLS_CA_FILE" "secret" $k.tls.ca.existingSecret "key" $k.tls.ca.key) -}}
{{- if $k.tls.client.enabled -}}
{{- include "centralita.secretFile" (dict "out" .out "env" "KAFKA_TLS_CERT_FILE" "secret" $secret "key" $k.tls.client.certKey) -}}
{{- include "centralita.secretFile" (dict "out" .out "env" "KAFKA_TLS_KEY_FILE" "secret" $secret "key" $k.tls.client.keyKey) -}}
{{- end -}}
{{- end -}}
{{- with $k.sasl.mechanism -}}
{{- $_ := set $env "KAFKA_SASL_MECHANISM" . -}}
{{- if eq . "oauthbearer" -}}
{{- $_ := set $.out.token "kafka" (dict "audience" $k.sasl.oauthbearer.audience "expirationSeconds" (int $k.sasl.oauthbearer.expirationSeconds)) -}}
{{- $_ := set $env "KAFKA_SASL_TOKEN_FILE" "/var/run/secrets/centralita/tokens/kafka" -}}
{{- else -}}
{{- $_ := set $env "KAFKA_SASL_USERNAME" $username -}}
{{- include "centralita.secretFile" (dict "out" $.out "env" "KAFKA_SASL_PASSWORD_FILE" "secret" $secret "key" $k.sasl.passwordKey) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* The database of wrapped keys and what unwraps them. (dict "root" "out") */}}
{{- define "centralita.keyringEnv" -}}
{{- include "centralita.databaseEnv" (dict "root" .root "out" .out "database" "keyring" "prefix" "KEYRING_DATABASE" "secret" "existingSecret" "pooler" true) -}}
{{- include "centralita.kmsEnv" . -}}
{{- end }}

{{- define "centralita.kmsEnv" -}}
{{- $kms := .root.Values.kms -}}
{{- $_ := set .out.env "KEYRING_PROVIDER" $kms.provider -}}
{{- if eq $kms.provider "local" -}}
{{- $ref := $kms.local -}}
{{- include "centralita.secretFile" (dict "out" .out "env" "KEYRING_MASTER_KEY_FILE" "secret" $ref.existingSecret "key" $ref.key) -}}
{{- include "centralita.secretFile" (dict "out" .out "env" "KEYRING_PREVIOUS_MASTER_KEY_FILE" "secret" $ref.previous.existingSecret "key" $ref.previous.key) -}}
{{- else -}}
{{- $_ := set .out.env "KEYRING_VAULT_ADDR" $kms.vault.address -}}
{{- $_ := set .out.env "KEYRING_VAULT_KEY" $kms.vault.key -}}
{{- $_ := set .out.env "KEYRING_VAULT_MOUNT" $kms.vault.mount -}}
{{- with $kms.vault.namespace }}{{ $_ := set $.out.env "KEYRING_VAULT_NAMESPACE" . }}{{ end -}}
{{- include "centralita.secretFile" (dict "out" .out "env" "KEYRING_VAULT_TOKEN_FILE" "secret" $kms.vault.token.existingSecret "key" $kms.vault.token.key) -}}
{{- include "centralita.secretFile" (dict "out" .out "env" "KEYRING_VAULT_CA_FILE" "secret" $kms.vault.ca.existingSecret "key" $kms.vault.ca.key) -}}
{{- end -}}
{{- end }}

{{/* Settings of an object store. (dict "out" "prefix" "MEDIA" "s3" .Values.media.s3 "folder" "/var/lib/centralita/media") */}}
{{- define "centralita.objectStoreEnv" -}}
{{- $env := .out.env -}}
{{- if .s3.bucket -}}
{{- $_ := set $env (printf "%s_S3_BUCKET" .prefix) .s3.bucket -}}
{{- with .s3.region }}{{ $_ := set $env (printf "%s_S3_REGION" $.prefix) . }}{{ end -}}
{{- with .s3.endpoint }}{{ $_ := set $env (printf "%s_S3_ENDPOINT" $.prefix) . }}{{ end -}}
{{- if .s3.forcePathStyle }}{{ $_ := set $env (printf "%s_S3_PATH_STYLE" .prefix) "true" }}{{ end -}}
{{- with .s3.sse }}{{ $_ := set $env (printf "%s_S3_SSE" $.prefix) . }}{{ end -}}
{{- include "centralita.secretFile" (dict "out" .out "env" (printf "%s_S3_ACCESS_KEY_ID_FILE" .prefix) "secret" .s3.existingSecret "key" .s3.accessKeyIdKey) -}}
{{- include "centralita.secretFile" (dict "out" .out "env" (printf "%s_S3_SECRET_ACCESS_KEY_FILE" .prefix) "secret" .s3.existingSecret "key" .s3.secretAccessKeyKey) -}}
{{- else -}}
{{- $_ := set $env (printf "%s_DIR" .prefix) .folder -}}
{{- $_ := set .out.folders (lower .prefix) .folder -}}
{{- end -}}
{{- end }}

{{/* Where the archive is. (dict "root" "out") */}}
{{- define "centralita.archiveEnv" -}}
{{- $archive := .root.Values.archive -}}
{{- include "centralita.objectStoreEnv" (dict "out" .out "prefix" "ARCHIVE" "s3" $archive.s3 "folder" "/var/lib/centralita/archive") -}}
{{- include "centralita.secretFile" (dict "out" .out "env" "ARCHIVE_VERIFIER_KEYS_FILE" "secret" $archive.verifierKeys.existingSecret "key" $archive.verifierKeys.key) -}}
{{- if and $archive.s3.bucket $archive.objectLock.mode -}}
{{- $_ := set .out.env "ARCHIVE_OBJECT_LOCK_MODE" $archive.objectLock.mode -}}
{{- $_ := set .out.env "ARCHIVE_OBJECT_LOCK_DAYS" ($archive.objectLock.days | int | toString) -}}
{{- end -}}
{{- end }}

{{/* What every process takes. (dict "root" "out" "logLevel" "memory" "384Mi" "node" $workload.node) */}}
{{- define "centralita.processEnv" -}}
{{- $env := .out.env -}}
{{- $heap := div (mul (include "centralita.mebibytes" .memory | int) (int .node.oldSpacePercent)) 100 -}}
{{- $_ := set $env "NODE_ENV" "production" -}}
{{- $_ := set $env "NODE_OPTIONS" (printf "--max-old-space-size=%d --enable-source-maps --unhandled-rejections=strict --disable-warning=TimeoutNegativeWarning %s" $heap (.node.options | default "") | trim) -}}
{{- $_ := set $env "UV_THREADPOOL_SIZE" (.node.threadPoolSize | int | toString) -}}
{{- $_ := set $env "LOG_LEVEL" .logLevel -}}
{{- end }}

{{/* Calls to the internet go through the proxy; what has an edge of its own does not. (dict "root" "out") */}}
{{- define "centralita.proxyEnv" -}}
{{- $direct := list "localhost" "127.0.0.1" "::1" ".svc" (printf ".%s" .root.Values.clusterDomain) -}}
{{- range list .root.Values.kms.vault.address .root.Values.otel.exporterEndpoint .root.Values.media.s3.endpoint -}}
{{- if . }}{{ $direct = append $direct (regexReplaceAll ":[0-9]+$" (urlParse .).host "") }}{{ end -}}
{{- end -}}
{{- with .root.Values.egressProxy -}}
{{- if .url -}}
{{- $_ := set $.out.env "NODE_USE_ENV_PROXY" "1" -}}
{{- $_ := set $.out.env "HTTPS_PROXY" .url -}}
{{- $_ := set $.out.env "HTTP_PROXY" .url -}}
{{- $_ := set $.out.env "NO_PROXY" (concat $direct .noProxy | uniq | join ",") -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "centralita.otelEnv" -}}
{{- $otel := .root.Values.otel -}}
{{- if $otel.exporterEndpoint -}}
{{- $attributes := list "k8s.namespace.name=$(K8S_NAMESPACE_NAME)" "k8s.node.name=$(K8S_NODE_NAME)" "k8s.pod.name=$(SERVICE_INSTANCE)" (printf "service.version=%s" .root.Chart.AppVersion) -}}
{{- range $name, $value := $otel.resourceAttributes -}}
{{- $attributes = append $attributes (printf "%s=%s" $name $value) -}}
{{- end -}}
{{- $_ := set .out.env "OTEL_EXPORTER_OTLP_ENDPOINT" $otel.exporterEndpoint -}}
{{- $_ := set .out.env "OTEL_RESOURCE_ATTRIBUTES" (join "," $attributes) -}}
{{- $_ := set .out.env "OTEL_TRACES_SAMPLER" $otel.sampler -}}
{{- $_ := set .out.env "OTEL_TRACES_SAMPLER_ARG" ($otel.samplerArg | toString) -}}
{{- include "centralita.secretFile" (dict "out" .out "env" "OTEL_EXPORTER_OTLP_HEADERS_FILE" "secret" $otel.headers.existingSecret "key" $otel.headers.key) -}}
{{- end -}}
{{- end }}

{{/* Address of a workload's API inside of the cluster. (dict "root" "part" "gateway" "port" 8080) */}}
{{- define "centralita.url" -}}
{{- printf "http://%s.%s.svc.%s:%d" (include "centralita.name" (dict "root" .root "part" .part)) (include "centralita.namespace" .root) .root.Values.clusterDomain (int .port) -}}
{{- end }}

{{- define "centralita.publicUrl" -}}
{{- $e := get .root.Values.exposure .of -}}
{{- $e.publicUrl | default (ternary (printf "https://%s" $e.host) "" (ne $e.host "")) -}}
{{- end }}

{{/* All of a workload: fills `out`. (dict "root" "w" "out") */}}
{{- define "centralita.workloadEnv" -}}
{{- $root := .root -}}
{{- $w := .w -}}
{{- $out := .out -}}
{{- $env := $out.env -}}
{{- $v := $root.Values -}}
{{- $fact := $w.fact -}}
{{- include "centralita.processEnv" (dict "out" $out "memory" $w.resources.limits.memory "node" $w.node "logLevel" $w.logLevel) -}}
{{- include "centralita.otelEnv" (dict "root" $root "out" $out) -}}
{{- $_ := set $env "HTTP_HOST" (ternary "::" "0.0.0.0" (has "IPv6" $v.network.ipFamilies)) -}}
{{- $_ := set $env "METRICS_PORT" "9090" -}}
{{- $_ := set $env "DRAIN_SECONDS" ($w.lifecycle.drainSeconds | int | toString) -}}
{{- if $fact.api }}{{ $_ := set $env "HTTP_PORT" "8080" }}{{ end -}}
{{- with $fact.role }}{{ $_ := set $env "INGEST_ROLE" . }}{{ end -}}
{{- if $fact.database -}}
{{- $db := include "centralita.database" (dict "root" $root "database" $fact.database) | fromJson -}}
{{- include "centralita.databaseEnv" (dict "root" $root "out" $out "database" $fact.database "prefix" "DATABASE" "secret" "existingSecret" "pooler" (not $fact.listens)) -}}
{{- $_ := set $env "DATABASE_POOL_SIZE" ($w.poolSize | default $db.pool | int | toString) -}}
{{- if $fact.relay -}}
{{- include "centralita.databaseEnv" (dict "root" $root "out" $out "database" $fact.database "prefix" "RELAY_DATABASE" "secret" "relayExistingSecret" "pooler" false) -}}
{{- end -}}
{{- end -}}
{{- if $fact.kafka }}{{ include "centralita.kafkaEnv" (dict "root" $root "out" $out "user" $w.name "own" $w.kafka) }}{{ end -}}
{{- if $fact.keyring }}{{ include "centralita.keyringEnv" (dict "root" $root "out" $out) }}{{ end -}}
{{- if $fact.tokens }}{{ $_ := set $env "GATEWAY_JWKS_URL" (printf "%s/.well-known/jwks.json" (include "centralita.url" (dict "root" $root "part" "gateway" "port" 8080))) }}{{ end -}}
{{- $settings := $fact.settings -}}
{{- if has "APPS_FILE" $settings }}{{ include "centralita.secretFile" (dict "out" $out "env" "APPS_FILE" "secret" $v.whatsapp.existingSecret "key" $v.whatsapp.key) }}{{ end -}}
{{- if has "GRAPH_API_URL" $settings -}}
{{- $_ := set $env "GRAPH_API_URL" $v.whatsapp.apiBase -}}
{{- with $v.whatsapp.apiVersion }}{{ $_ := set $env "GRAPH_API_VERSION" . }}{{ end -}}
{{- end -}}
{{- if has "MEDIA_DIR" $settings }}{{ include "centralita.objectStoreEnv" (dict "out" $out "prefix" "MEDIA" "s3" $v.media.s3 "folder" "/var/lib/centralita/media") }}{{ end -}}
{{- if has "ACCOUNTS_FILE" $settings }}{{ include "centralita.documentFile" (dict "out" $out "env" "ACCOUNTS_FILE" "from" $v.accounts) }}{{ end -}}
{{- if has "TEMPLATES_FILE" $settings }}{{ include "centralita.documentFile" (dict "out" $out "env" "TEMPLATES_FILE" "from" $v.templates) }}{{ end -}}
{{- if has "TENANTS_FILE" $settings }}{{ include "centralita.documentFile" (dict "out" $out "env" "TENANTS_FILE" "from" $v.tenants) }}{{ end -}}
{{- if has "AUDIT_SIGNING_KEY_FILE" $settings }}{{ include "centralita.secretFile" (dict "out" $out "env" "AUDIT_SIGNING_KEY_FILE" "secret" $v.signingKeys.auditLog.existingSecret "key" $v.signingKeys.auditLog.key) }}{{ end -}}
{{- if has "OIDC_ISSUER" $settings -}}
{{- $_ := set $env "PUBLIC_URL" (include "centralita.publicUrl" (dict "root" $root "of" "gateway")) -}}
{{- $_ := set $env "OIDC_ISSUER" $v.oidc.issuer -}}
{{- $_ := set $env "OIDC_CLIENT_ID" $v.oidc.clientId -}}
{{- $_ := set $env "OIDC_SCOPE" $v.oidc.scope -}}
{{- $_ := set $env "OIDC_TENANT_CLAIM" $v.oidc.claims.tenant -}}
{{- $_ := set $env "OIDC_ROLES_CLAIM" $v.oidc.claims.roles -}}
{{- $_ := set $env "OIDC_LABEL_CLAIM" $v.oidc.claims.label -}}
{{- with $v.oidc.requiredAcr }}{{ $_ := set $env "OIDC_REQUIRED_ACR" (join "," .) }}{{ end -}}
{{- include "centralita.secretFile" (dict "out" $out "env" "OIDC_CLIENT_SECRET_FILE" "secret" $v.oidc.existingSecret "key" $v.oidc.key) -}}
{{- include "centralita.secretFile" (dict "out" $out "env" "SESSION_SECRET_FILE" "secret" $v.session.existingSecret "key" $v.session.key) -}}
{{- include "centralita.secretFile" (dict "out" $out "env" "GATEWAY_SIGNING_KEY_FILE" "secret" $v.signingKeys.gateway.existingSecret "key" $v.signingKeys.gateway.key) -}}
{{- $_ := set $env "SESSION_HOURS" ($v.session.hours | int | toString) -}}
{{- $_ := set $env "TRUSTED_PROXY_HOPS" ($v.exposure.trustedProxyHops | int | toString) -}}
{{- if $v.platformPage.enabled -}}
{{- $_ := set $out.config "platform-targets.json" true -}}
{{- $_ := set $env "PLATFORM_TARGETS_FILE" "/etc/centralita/config/platform-targets.json" -}}
{{- end -}}
{{- $_ := set $env "CONSOLE_DIR" "/app/apps/console/dist" -}}
{{- range $name, $part := dict "CONVERSATION_URL" "conversation" "ROUTING_URL" "routing" "BILLING_URL" "billing" "AUDIT_LOG_URL" "audit-log" "INGEST_URL" "ingest-media" -}}
{{- $_ := set $env $name (include "centralita.url" (dict "root" $root "part" $part "port" 8080)) -}}
{{- end -}}
{{- end -}}
{{- if and (eq $w.name "lag-exporter") $v.archive.enabled }}{{ include "centralita.archiveEnv" (dict "root" $root "out" $out) }}{{ end -}}
{{- if or $fact.graph (has "OIDC_ISSUER" $settings) }}{{ include "centralita.proxyEnv" (dict "root" $root "out" $out) }}{{ end -}}
{{- range $name, $value := $w.env -}}
{{- $_ := set $env $name (include "centralita.text" $value) -}}
{{- end -}}
{{- end }}
