{{/*
Pod spec of a Job with one container per entry of `containers`: (dict "name" "app" "args" "out" "resources").
(dict "root" "part" "component" "containers" "serviceAccount")
*/}}
{{- define "centralita.jobPod" -}}
{{- $root := .root -}}
{{- $jobs := $root.Values.jobs -}}
{{- $all := dict "secrets" (dict) "config" (dict) "token" (dict) "folders" (dict) -}}
{{- range .containers -}}
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
  containers:
    {{- range .containers }}
    - name: {{ .name }}
      image: {{ include "centralita.image" (dict "root" $root "app" .app) }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args: {{ toJson .args }}
      securityContext:
        {{- include "centralita.securityContext" (dict "root" $root) | nindent 8 }}
      env:
        {{- include "centralita.envList" (dict "root" $root "out" .out) | nindent 8 }}
      resources:
        {{- toYaml $jobs.resources | nindent 8 }}
      volumeMounts:
        {{- include "centralita.mounts" (dict "root" $root "out" .out) | nindent 8 }}
    {{- end }}
  volumes:
    {{- include "centralita.volumes" (dict "root" $root "out" $all) | nindent 4 }}
{{- end }}

{{/* A ServiceAccount for a Job. (dict "root" "part" "annotations") */}}
{{- define "centralita.jobServiceAccount" -}}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "centralita.metadata" (merge (dict "component" .part) .) | nindent 2 }}
automountServiceAccountToken: false
{{- end }}

{{/* Environment that every container of a Job takes. (dict "root" "out") */}}
{{- define "centralita.jobEnv" -}}
{{- include "centralita.processEnv" (dict "out" .out "memory" .root.Values.jobs.resources.limits.memory "node" .root.Values.defaults.node "logLevel" .root.Values.defaults.logLevel) -}}
{{- end }}
