{{/* Adds a sentence to what is wrong. (dict "errors" $errors "when" bool "say" "sentence") */}}
{{- define "centralita.must" -}}
{{- if .when }}{{ $_ := set .errors "list" (append .errors.list .say) }}{{ end -}}
{{- end }}

{{/*
Values that cannot work, or that the profile does not allow, each with the sentence that mends it. All of them are told at once. Types, enums
and unknown keys are the schema's part.
*/}}
{{- define "centralita.validate" -}}
{{- $v := .Values -}}
{{- $errors := dict "list" list -}}
{{- $workloads := include "centralita.workloads" . | fromJson -}}
{{- $partitions := include "centralita.partitions" . | int -}}
{{- include "centralita.validateWorkloads" (dict "root" . "workloads" $workloads "errors" $errors "partitions" $partitions) -}}
{{- include "centralita.validateEngines" (dict "root" . "workloads" $workloads "errors" $errors) -}}
{{- include "centralita.validateExposure" (dict "root" . "workloads" $workloads "errors" $errors) -}}
{{- if ne $v.profile "dev" }}{{ include "centralita.validateProduction" (dict "root" . "workloads" $workloads "errors" $errors) }}{{ end -}}
{{- if eq $v.profile "compliance" }}{{ include "centralita.validateCompliance" (dict "root" . "errors" $errors) }}{{ end -}}
{{- if $errors.list -}}
{{- fail (printf "\n\nCentralita cannot be rendered from these values:\n  - %s\n" (join "\n  - " $errors.list)) -}}
{{- end -}}
{{- end }}

{{- define "centralita.validateWorkloads" -}}
{{- $errors := .errors -}}
{{- $partitions := .partitions -}}
{{- $root := .root -}}
{{- range $name, $w := .workloads -}}
{{- $at := printf "services.%s" ($name | replace "ingest-" "ingest.roles.") -}}
{{- $hpa := $w.autoscaling.hpa -}}
{{- $keda := $w.autoscaling.keda -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and $hpa.enabled $keda.enabled) "say" (printf "%s.autoscaling: hpa and keda are both enabled, and would fight over the replicas: enable one of them." $at)) -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and $hpa.enabled (gt (int $hpa.minReplicas) (int $hpa.maxReplicas))) "say" (printf "%s.autoscaling.hpa: minReplicas %d is more than maxReplicas %d." $at (int $hpa.minReplicas) (int $hpa.maxReplicas))) -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and $keda.enabled (gt (int $keda.minReplicas) (int $keda.maxReplicas))) "say" (printf "%s.autoscaling.keda: minReplicas %d is more than maxReplicas %d." $at (int $keda.minReplicas) (int $keda.maxReplicas))) -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and $keda.enabled (not $w.fact.group)) "say" (printf "%s.autoscaling.keda: %s reads no topic in a group, so there is no lag to scale by: use autoscaling.hpa." $at $name)) -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and $keda.enabled $w.fact.group (eq $root.Values.kafka.sasl.mechanism "oauthbearer")) "say" (printf "%s.autoscaling.keda: KEDA cannot sign in at the brokers with the token of a pod (kafka.sasl.mechanism oauthbearer): use scram-sha-512 or certificates, or scale %s by hpa." $at $name)) -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and $keda.enabled $w.fact.group (gt (int $keda.maxReplicas) $partitions)) "say" (printf "%s.autoscaling.keda.maxReplicas: %d is more than the %d partitions of kafka.topics.profile %s, and a consumer without a partition does nothing: at most %d." $at (int $keda.maxReplicas) $partitions $root.Values.kafka.topics.profile $partitions)) -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and $w.fact.group (not $w.scaled) (gt (int $w.replicas) $partitions)) "say" (printf "%s.replicas: %d is more than the %d partitions of kafka.topics.profile %s, and a consumer without a partition does nothing: at most %d." $at (int $w.replicas) $partitions $root.Values.kafka.topics.profile $partitions)) -}}
{{- include "centralita.must" (dict "errors" $errors "when" (lt (int $w.grace) (int $w.drainAtLeast)) "say" (printf "%s.terminationGracePeriodSeconds: %d is less than preStopSleepSeconds + drainSeconds + 10 = %d, so pods would be killed while they drain: raise it or leave it empty." $at (int $w.grace) (int $w.drainAtLeast))) -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and $w.pdb.enabled (gt (int $w.fewest) 1) (kindIs "float64" $w.pdb.minAvailable) (ge (include "centralita.text" $w.pdb.minAvailable | int) (int $w.fewest))) "say" (printf "%s.pdb.minAvailable: %s of %d pods must stay, so no node could ever be drained: at most %d." $at (include "centralita.text" $w.pdb.minAvailable) (int $w.fewest) (sub (int $w.fewest) 1))) -}}
{{- include "centralita.must" (dict "errors" $errors "when" (not (dig "limits" "memory" "" $w.resources)) "say" (printf "%s.resources.limits.memory is missing: the heap of the process is derived from it." $at)) -}}
{{- $tag := $w.image.tag | default $root.Values.image.tag -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and (eq $tag "latest") (not $w.image.digest)) "say" (printf "%s: the image tag latest says nothing about what runs: name a version or a digest." $at)) -}}
{{- range $w.extraEnv -}}
{{- include "centralita.must" (dict "errors" $errors "when" (hasKey $w.env .name) "say" (printf "%s.extraEnv: %s is in env too, and a name may stand once: remove one of them." $at .name)) -}}
{{- end -}}
{{- range $secret := list "KEYRING_MASTER_KEY" "SESSION_SECRET" "OIDC_CLIENT_SECRET" "KAFKA_SASL_PASSWORD" -}}
{{- include "centralita.must" (dict "errors" $errors "when" (hasKey $w.env $secret) "say" (printf "%s.env.%s: a secret in the environment is shown by too many tools: put it into a Secret, which the chart mounts as a file." $at $secret)) -}}
{{- end -}}
{{- if $w.fact.tokens -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and (not (hasKey $.workloads "gateway")) (not (hasKey $w.env "GATEWAY_JWKS_URL"))) "say" (printf "%s: services.gateway is disabled, and nobody else has its public keys: set %s.env.GATEWAY_JWKS_URL to those of the gateway elsewhere." $at $at)) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Brokers, databases, keys, objects: what must be named, and what must fit together. */}}
{{- define "centralita.validateEngines" -}}
{{- $root := .root -}}
{{- $v := $root.Values -}}
{{- $errors := .errors -}}
{{- $k := $v.kafka -}}
{{- if .workloads -}}
{{- range splitList "," $k.brokers -}}
{{- include "centralita.must" (dict "errors" $errors "when" (not (regexMatch "^\\s*[^\\s:]+:[0-9]{1,5}\\s*$|^\\s*\\[[0-9a-fA-F:]+\\]:[0-9]{1,5}\\s*$" .)) "say" (printf "kafka.brokers: %q is no address: write host:port, with commas between several." .)) -}}
{{- end -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and (eq $k.sasl.mechanism "plain") (not $k.tls.enabled)) "say" "kafka.sasl.mechanism: plain sends the password in clear without TLS: set kafka.tls.enabled to true or choose scram-sha-512.") -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and $k.tls.client.enabled (not $k.tls.enabled)) "say" "kafka.tls.client.enabled: certificates need TLS: set kafka.tls.enabled to true.") -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and $k.tls.client.enabled $k.sasl.mechanism) "say" (printf "kafka: both a client certificate and sasl.mechanism %s are set: brokers take one of them; set the other to its empty value." $k.sasl.mechanism)) -}}
{{- include "centralita.must" (dict "errors" $errors "when" (gt (int $k.topics.minInsyncReplicas) (int $k.topics.replicationFactor)) "say" (printf "kafka.topics.minInsyncReplicas: %d is more than replicationFactor %d, so nothing could ever be written." (int $k.topics.minInsyncReplicas) (int $k.topics.replicationFactor))) -}}
{{- end -}}
{{- $known := list -}}
{{- range ($root.Files.Get "files/topics.yaml" | fromYaml).topics }}{{ $known = append $known .name }}{{ end -}}
{{- range $topic, $own := $k.topics.overrides -}}
{{- include "centralita.must" (dict "errors" $errors "when" (not (has $topic $known)) "say" (printf "kafka.topics.overrides: %s is no topic of Centralita: they are %s." $topic (join ", " $known))) -}}
{{- include "centralita.must" (dict "errors" $errors "when" (ne $k.topics.manage "strimzi") "say" (printf "kafka.topics.overrides.%s: they are used with kafka.topics.manage strimzi alone; the Job makes topics as the code has them." $topic)) -}}
{{- range $name := list "retention.ms" "retention.bytes" -}}
{{- $value := get ($own.config | default dict) $name -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and $value (ne (include "centralita.text" $value) "-1")) "say" (printf "kafka.topics.overrides.%s.config: %s is %s, but events are kept without limit, and invoices and proofs are computed from all of them: set it to -1 or leave it out." $topic $name (include "centralita.text" $value))) -}}
{{- end -}}
{{- $cleanup := get ($own.config | default dict) "cleanup.policy" -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and $cleanup (ne $cleanup "delete")) "say" (printf "kafka.topics.overrides.%s.config: cleanup.policy is %s, but a compacted topic forgets events: leave it out." $topic $cleanup)) -}}
{{- end -}}
{{- $kms := $v.kms -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and (eq $kms.provider "vault") (not $kms.vault.address)) "say" "kms.vault.address is missing: the address of Vault or OpenBao, for example https://vault.vault.svc:8200.") -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and (eq $kms.provider "local") (not $kms.local.existingSecret)) "say" "kms.local.existingSecret is missing: a Secret with 32 bytes in base64.") -}}
{{- range $name, $db := omit $v.postgres "defaults" "secretPrefix" -}}
{{- $db := include "centralita.database" (dict "root" $root "database" $name) | fromJson -}}
{{- include "centralita.must" (dict "errors" $errors "when" (not $db.host) "say" (printf "postgres.%s.host is missing: the address of the database server." $name)) -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and $db.pooler.host (not $db.pooler.preparedStatements)) "say" (printf "postgres.%s.pooler: statements are prepared, which a transaction pooler must know: set max_prepared_statements in PgBouncer (1.21 or later), then pooler.preparedStatements to true." $name)) -}}
{{- end -}}
{{- include "centralita.validateConnections" . -}}
{{- range $name, $document := dict "accounts" $v.accounts "tenants" $v.tenants -}}
{{- include "centralita.must" (dict "errors" $errors "when" (not (or $document.inline $document.existingSecret)) "say" (printf "%s: give existingSecret or inline." $name)) -}}
{{- end -}}
{{- range $name, $store := dict "media" $v.media "archive" $v.archive -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and ($store.s3).bucket $store.folder.existingClaim) "say" (printf "%s: both s3.bucket and folder.existingClaim are set: choose one." $name)) -}}
{{- end -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and $v.archive.objectLock.mode (not $v.archive.s3.bucket)) "say" "archive.objectLock.mode: a folder cannot lock objects: set archive.s3.bucket, a bucket that was made with object lock.") -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and $v.secretDelivery.externalSecrets.enabled (not $v.secretDelivery.externalSecrets.storeRef.name)) "say" "secretDelivery.externalSecrets.storeRef.name is missing: the name of your SecretStore or ClusterSecretStore.") -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and $v.secretDelivery.externalSecrets.enabled (eq $v.secretDelivery.mode "csi")) "say" "secretDelivery: externalSecrets.enabled and mode csi are two ways for the same secrets: choose one.") -}}
{{- if and $v.secretDelivery.externalSecrets.enabled (eq $v.migrations.mode "hook") -}}
{{- $late := list -}}
{{- range include "centralita.migrateContainers" $root | fromJsonArray -}}
{{- range $secret, $_ := .out.secrets -}}
{{- if not (has $secret $v.secretDelivery.externalSecrets.except) }}{{ $late = append $late $secret }}{{ end -}}
{{- end -}}
{{- end -}}
{{- include "centralita.must" (dict "errors" $errors "when" $late "say" (printf "migrations.mode: a hook runs before the ExternalSecrets of this release are there, so it would wait for ever: use mode job, or bring these otherwise and name them in secretDelivery.externalSecrets.except: %s." (uniq $late | sortAlpha | join ", "))) -}}
{{- end -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and $v.dev.insecureGenerate (ne $v.profile "dev")) "say" (printf "dev.insecureGenerate: anybody can compute these secrets, so profile %s refuses them: set it to false and name Secrets of your own." $v.profile)) -}}
{{- end }}

{{/* Connections of all pods on one server against its max_connections. */}}
{{- define "centralita.validateConnections" -}}
{{- $root := .root -}}
{{- $errors := .errors -}}
{{- $servers := dict -}}
{{- range $name, $w := .workloads -}}
{{- $uses := dict -}}
{{- if $w.fact.database -}}
{{- $db := include "centralita.database" (dict "root" $root "database" $w.fact.database) | fromJson -}}
{{- $pool := $w.poolSize | default $db.pool | int -}}
{{- /* Through a pooler the server sees the pooler's connections, which are its own to bound. */}}
{{- if and $db.pooler.host (not $w.fact.listens) }}{{ $pool = 0 }}{{ end -}}
{{- $_ := set $uses $w.fact.database (add $pool (sub (int $w.fact.connections) (ternary 4 0 $w.fact.keyring))) -}}
{{- end -}}
{{- if $w.fact.keyring }}{{ $_ := set $uses "keyring" 4 }}{{ end -}}
{{- range $database, $each := $uses -}}
{{- $db := include "centralita.database" (dict "root" $root "database" $database) | fromJson -}}
{{- $server := get $servers $db.host | default (dict "connections" 0 "most" 0 "reserved" 0 "parts" list) -}}
{{- $surge := ternary 1 0 (eq (dig "rollingUpdate" "maxSurge" 1 $w.strategy | toString) "1") -}}
{{- $pods := add (int $w.most) $surge -}}
{{- $_ := set $server "connections" (add (int $server.connections) (mul (int $each) $pods)) -}}
{{- $_ := set $server "parts" (append $server.parts (printf "%s %d x %d" $name (int $pods) (int $each))) -}}
{{- $_ := set $server "most" (int $db.maxConnections) -}}
{{- $_ := set $server "reserved" (int $db.reservedConnections) -}}
{{- $_ := set $servers $db.host $server -}}
{{- end -}}
{{- end -}}
{{- range $host, $server := $servers -}}
{{- $room := sub (int $server.most) (int $server.reserved) -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and (gt (int $server.most) 0) (gt (int $server.connections) (int $room))) "say" (printf "postgres: up to %d connections to %s, which has maxConnections %d of which %d are reserved: raise max_connections there and postgres.defaults.maxConnections here, use smaller pools (postgres.<database>.pool, services.<name>.poolSize), or a pooler. They are %s." (int $server.connections) $host (int $server.most) (int $server.reserved) (join ", " (sortAlpha $server.parts)))) -}}
{{- end -}}
{{- end }}

{{- define "centralita.validateExposure" -}}
{{- $root := .root -}}
{{- $v := $root.Values -}}
{{- $errors := .errors -}}
{{- range $of, $workload := dict "webhook" "ingest-webhook" "gateway" "gateway" -}}
{{- $e := get $v.exposure $of -}}
{{- if hasKey $.workloads $workload -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and (or $e.httpRoute.enabled $e.ingress.enabled) (not $e.host)) "say" (printf "exposure.%s.host is missing: the name under which it is reached." $of)) -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and $e.httpRoute.enabled (not $e.httpRoute.parentRefs)) "say" (printf "exposure.%s.httpRoute.parentRefs is missing: the Gateway that the route belongs to, for example [{name: public, namespace: ingress}]." $of)) -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and $e.httpRoute.enabled $e.ingress.enabled) "say" (printf "exposure.%s: httpRoute and ingress are both enabled: choose one." $of)) -}}
{{- end -}}
{{- end -}}
{{- $np := $v.networkPolicy -}}
{{- if and $np.enabled $.workloads -}}
{{- range $target := list "kafka" "postgres" -}}
{{- include "centralita.must" (dict "errors" $errors "when" (not (get $np.egress $target)) "say" (printf "networkPolicy.egress.%s is empty, so nothing could reach it: name its pods or addresses, for example [{ipBlock: {cidr: 10.20.0.0/24}}]." $target)) -}}
{{- end -}}
{{- include "centralita.must" (dict "errors" $errors "when" (not $np.dns.peers) "say" "networkPolicy.dns.peers is empty, so no name could be resolved: name the pods of the cluster's DNS.") -}}
{{- end -}}
{{- include "centralita.must" (dict "errors" $errors "when" (gt (len $v.fullnameOverride) 53) "say" (printf "fullnameOverride: %s has %d characters, and names of parts are made from it: at most 53." $v.fullnameOverride (len $v.fullnameOverride))) -}}
{{- end }}

{{/* profile: production, and compliance too. */}}
{{- define "centralita.validateProduction" -}}
{{- $root := .root -}}
{{- $v := $root.Values -}}
{{- $errors := .errors -}}
{{- $p := $v.profile -}}
{{- $untold := list -}}
{{- range $name, $w := .workloads -}}
{{- if $w.fact.public -}}
{{- include "centralita.must" (dict "errors" $errors "when" (lt (int $w.fewest) 2) "say" (printf "services.%s.replicas: profile %s needs 2 or more, so that a node can go away: it is %d." ($name | replace "ingest-" "ingest.roles.") $p (int $w.fewest))) -}}
{{- end -}}
{{- if not (or $w.image.digest $w.image.tag $v.image.tag (get $v.image.digests $w.fact.app)) }}{{ $untold = append $untold $w.fact.app }}{{ end -}}
{{- end -}}
{{- include "centralita.must" (dict "errors" $errors "when" $untold "say" (printf "image.tag is empty: profile %s wants to know what runs: set it, or image.digests of %s." $p (uniq $untold | sortAlpha | join ", "))) -}}
{{- include "centralita.must" (dict "errors" $errors "when" (eq $v.kms.provider "local") "say" (printf "kms.provider: local keeps the master key beside the data, which profile %s refuses: set it to vault, with kms.vault.address." $p)) -}}
{{- include "centralita.must" (dict "errors" $errors "when" (not $v.kafka.tls.enabled) "say" (printf "kafka.tls.enabled: profile %s wants encrypted connections to the brokers: set it to true." $p)) -}}
{{- include "centralita.must" (dict "errors" $errors "when" (not (or $v.kafka.sasl.mechanism $v.kafka.tls.client.enabled)) "say" (printf "kafka: profile %s wants every service to sign in at the brokers: set kafka.sasl.mechanism or kafka.tls.client.enabled." $p)) -}}
{{- include "centralita.must" (dict "errors" $errors "when" (lt (int $v.kafka.topics.replicationFactor) 3) "say" (printf "kafka.topics.replicationFactor: profile %s keeps three copies of every event: set it to 3." $p)) -}}
{{- include "centralita.must" (dict "errors" $errors "when" (lt (int $v.kafka.topics.minInsyncReplicas) 2) "say" (printf "kafka.topics.minInsyncReplicas: profile %s acknowledges what two brokers have: set it to 2." $p)) -}}
{{- range $name, $_ := omit $v.postgres "defaults" "secretPrefix" -}}
{{- $db := include "centralita.database" (dict "root" $root "database" $name) | fromJson -}}
{{- include "centralita.must" (dict "errors" $errors "when" (ne $db.sslmode "verify-full") "say" (printf "postgres.%s.sslmode: profile %s wants to know the server: set it to verify-full." $name $p)) -}}
{{- end -}}
{{- include "centralita.must" (dict "errors" $errors "when" (not $v.networkPolicy.enabled) "say" (printf "networkPolicy.enabled: profile %s denies what is not an edge of the platform: set it to true." $p)) -}}
{{- if hasKey .workloads "gateway" -}}
{{- $public := include "centralita.publicUrl" (dict "root" $root "of" "gateway") -}}
{{- include "centralita.must" (dict "errors" $errors "when" (not $public) "say" "exposure.gateway.host is missing: the name under which people reach the console, or exposure.gateway.publicUrl.") -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and $public (not (hasPrefix "https://" $public))) "say" (printf "exposure.gateway.publicUrl: profile %s wants https: cookies would travel in clear." $p)) -}}
{{- include "centralita.must" (dict "errors" $errors "when" (not $v.oidc.issuer) "say" "oidc.issuer is missing: the address of your identity provider.") -}}
{{- include "centralita.must" (dict "errors" $errors "when" (and $v.oidc.issuer (not (hasPrefix "https://" $v.oidc.issuer))) "say" (printf "oidc.issuer: profile %s wants https." $p)) -}}
{{- end -}}
{{- if or (hasKey .workloads "ingest-webhook") (hasKey .workloads "ingest-media") -}}
{{- include "centralita.must" (dict "errors" $errors "when" (not (or $v.media.s3.bucket $v.media.folder.existingClaim)) "say" (printf "media: without a bucket or a claim each pod keeps media for itself and loses them with itself, which profile %s refuses: set media.s3.bucket." $p)) -}}
{{- end -}}
{{- if $v.archive.enabled -}}
{{- include "centralita.must" (dict "errors" $errors "when" (not (or $v.archive.s3.bucket $v.archive.folder.existingClaim)) "say" (printf "archive: without a bucket or a claim the archive is lost with its pod, which profile %s refuses: set archive.s3.bucket." $p)) -}}
{{- end -}}
{{- end }}

{{/* profile: compliance, beside production. */}}
{{- define "centralita.validateCompliance" -}}
{{- $v := .root.Values -}}
{{- $errors := .errors -}}
{{- include "centralita.must" (dict "errors" $errors "when" (not $v.archive.enabled) "say" "archive.enabled: profile compliance keeps a second copy of the log: set it to true, with archive.s3.bucket.") -}}
{{- include "centralita.must" (dict "errors" $errors "when" (not $v.archive.objectLock.mode) "say" "archive.objectLock.mode: profile compliance locks what is archived: set it to GOVERNANCE or COMPLIANCE, on a bucket that was made with object lock.") -}}
{{- include "centralita.must" (dict "errors" $errors "when" (not $v.oidc.requiredAcr) "say" "oidc.requiredAcr: profile compliance insists on a second factor: name the values of acr that your identity provider gives for it.") -}}
{{- include "centralita.must" (dict "errors" $errors "when" (not (or $v.jobs.replay.enabled)) "say" "jobs.replay.enabled: profile compliance proves every night that the log gives the same invoices: set it to true.") -}}
{{- include "centralita.must" (dict "errors" $errors "when" (not $v.jobs.verify.enabled) "say" "jobs.verify.enabled: profile compliance proves every night that the ledger is whole: set it to true.") -}}
{{- end }}
