{{/*
Every secret that a rendered pod mounts, with its keys: name -> key -> true, as JSON. NOTES.txt prints it, ExternalSecrets are made from it.
*/}}
{{- define "centralita.requiredSecrets" -}}
{{- $root := . -}}
{{- $all := dict -}}
{{- $outs := list -}}
{{- range $name, $w := include "centralita.workloads" . | fromJson -}}
{{- $out := dict "env" (dict) "secrets" (dict) "config" (dict) "token" (dict) "folders" (dict) -}}
{{- include "centralita.workloadEnv" (dict "root" $root "w" $w "out" $out) -}}
{{- $outs = append $outs $out -}}
{{- end -}}
{{- range $job, $spec := include "centralita.jobs" . | fromJson -}}
{{- if eq $job "migrate" -}}
{{- range include "centralita.migrateContainers" $root | fromJsonArray }}{{ $outs = append $outs .out }}{{ end -}}
{{- else -}}
{{- $out := dict "env" (dict) "secrets" (dict) "config" (dict) "token" (dict) "folders" (dict) -}}
{{- include "centralita.jobEnv" (dict "root" $root "out" $out "job" $job "fact" $spec.fact) -}}
{{- if eq $job "replay" }}{{ include "centralita.migratorEnv" (dict "root" $root "out" $out "database" "billing-replay" "relay" true) }}{{ end -}}
{{- $outs = append $outs $out -}}
{{- end -}}
{{- end -}}
{{- range $outs -}}
{{- range $secret, $keys := .secrets -}}
{{- $_ := set $all $secret (merge (get $all $secret | default dict) $keys) -}}
{{- end -}}
{{- end -}}
{{- toJson $all -}}
{{- end }}

{{/* Secrets that a trial makes for itself, name -> key -> value, as JSON: they follow from the release, so anybody can compute them. */}}
{{- define "centralita.insecureSecrets" -}}
{{- $v := .Values -}}
{{- $out := dict -}}
{{- if $v.dev.insecureGenerate -}}
{{- $seed := printf "%s/%s" .Release.Namespace .Release.Name -}}
{{- $bytes := dict "kms" "" "gateway" "" "auditLog" "" "archive" "" "session" "" -}}
{{- range $purpose, $_ := $bytes }}{{ $_ := set $bytes $purpose (printf "%s/%s" $seed $purpose | sha256sum | trunc 32) }}{{ end -}}
{{- if eq $v.kms.provider "local" }}{{ $_ := set $out $v.kms.local.existingSecret (dict $v.kms.local.key (b64enc $bytes.kms)) }}{{ end -}}
{{- $_ := set $out $v.session.existingSecret (merge (get $out $v.session.existingSecret | default dict) (dict $v.session.key $bytes.session)) -}}
{{- range $purpose, $ref := $v.signingKeys -}}
{{- /* PKCS8 of Ed25519: a fixed beginning, then the 32 bytes of the seed. */}}
{{- $der := printf "%s%s" (b64dec "MC4CAQAwBQYDK2VwBCIEIA==") (get $bytes $purpose) -}}
{{- $pem := printf "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n" (b64enc $der) -}}
{{- $_ := set $out $ref.existingSecret (merge (get $out $ref.existingSecret | default dict) (dict $ref.key $pem)) -}}
{{- end -}}
{{- end -}}
{{- toJson $out -}}
{{- end }}
