{{/* Environment of a container, first what others refer to. (dict "root" "out" "extra" "instance" true) */}}
{{- define "centralita.envList" -}}
- name: SERVICE_INSTANCE
  valueFrom: { fieldRef: { fieldPath: metadata.name } }
{{- if hasKey .out.env "OTEL_RESOURCE_ATTRIBUTES" }}
- name: K8S_NAMESPACE_NAME
  valueFrom: { fieldRef: { fieldPath: metadata.namespace } }
- name: K8S_NODE_NAME
  valueFrom: { fieldRef: { fieldPath: spec.nodeName } }
{{- end }}
{{- range $name, $value := .out.env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- with .extra }}
{{ include "centralita.tpl" (dict "root" $.root "value" .) }}
{{- end }}
{{- end }}

{{/* Mounts of a container. (dict "root" "out" "extra") */}}
{{- define "centralita.mounts" -}}
- { name: tmp, mountPath: /tmp }
{{- range $secret, $keys := .out.secrets }}
- { name: {{ include "centralita.volumeName" $secret }}, mountPath: /etc/centralita/secrets/{{ $secret }}, readOnly: true }
{{- end }}
{{- if .out.config }}
- { name: config, mountPath: /etc/centralita/config, readOnly: true }
{{- end }}
{{- if .out.token }}
- { name: tokens, mountPath: /var/run/secrets/centralita/tokens, readOnly: true }
{{- end }}
{{- range $folder, $path := .out.folders }}
- { name: {{ $folder }}, mountPath: {{ $path }} }
{{- end }}
{{- with .extra }}
{{ include "centralita.tpl" (dict "root" $.root "value" .) }}
{{- end }}
{{- end }}

{{/* A volume is named by its secret: 63 characters, no dots. */}}
{{- define "centralita.volumeName" -}}
{{- $name := printf "secret-%s" (. | replace "." "-") -}}
{{- if gt (len $name) 63 }}{{ printf "%s-%s" ($name | trunc 54 | trimSuffix "-") (sha256sum . | trunc 8) }}{{ else }}{{ $name }}{{ end -}}
{{- end }}

{{/* Volumes of a pod. (dict "root" "out" "tmpSize" "extra") */}}
{{- define "centralita.volumes" -}}
- name: tmp
  emptyDir: { sizeLimit: {{ .tmpSize | default "64Mi" }} }
{{- $delivery := .root.Values.secretDelivery }}
{{- range $secret, $keys := .out.secrets }}
- name: {{ include "centralita.volumeName" $secret }}
  {{- if eq $delivery.mode "csi" }}
  csi:
    driver: {{ $delivery.csiDriver }}
    readOnly: true
    volumeAttributes: { secretProviderClass: {{ $secret }} }
  {{- else }}
  secret:
    secretName: {{ $secret }}
    defaultMode: 0440
    items:
      {{- range $key, $_ := $keys }}
      - { key: {{ $key }}, path: {{ $key }} }
      {{- end }}
  {{- end }}
{{- end }}
{{- if .out.config }}
- name: config
  configMap:
    name: {{ include "centralita.name" (dict "root" .root "part" "config") }}
    defaultMode: 0444
    items:
      {{- range $key, $_ := .out.config }}
      - { key: {{ $key }}, path: {{ $key }} }
      {{- end }}
{{- end }}
{{- with .out.token }}
- name: tokens
  projected:
    defaultMode: 0440
    sources:
      {{- range $name, $token := . }}
      - serviceAccountToken: { path: {{ $name }}, audience: {{ $token.audience }}, expirationSeconds: {{ int $token.expirationSeconds }} }
      {{- end }}
{{- end }}
{{- range $folder, $path := .out.folders }}
{{- $claim := (get $.root.Values $folder).folder.existingClaim }}
- name: {{ $folder }}
  {{- if $claim }}
  persistentVolumeClaim: { claimName: {{ $claim }} }
  {{- else }}
  emptyDir: { sizeLimit: {{ (get $.root.Values $folder).folder.size | default "1Gi" }} }
  {{- end }}
{{- end }}
{{- with .extra }}
{{ include "centralita.tpl" (dict "root" $.root "value" .) }}
{{- end }}
{{- end }}

{{/* What a pod takes unchanged from its values. */}}
{{- define "centralita.scheduling" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- with .schedulerName }}
schedulerName: {{ . }}
{{- end }}
{{- if kindIs "bool" .hostUsers }}
hostUsers: {{ .hostUsers }}
{{- end }}
{{- with .dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Name of a workload's ServiceAccount. (dict "root" "w") */}}
{{- define "centralita.serviceAccount" -}}
{{- if .w.serviceAccount.create -}}
{{- .w.serviceAccount.name | default (include "centralita.name" (dict "root" .root "part" .w.name)) -}}
{{- else -}}
{{- .w.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end }}

{{/* Spreads pods over zones, then nodes, each revision for itself. (dict "root" "w") */}}
{{- define "centralita.topologySpread" -}}
{{- if .w.topologySpread.constraints -}}
{{- toYaml .w.topologySpread.constraints -}}
{{- else -}}
{{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
- maxSkew: 1
  topologyKey: {{ . }}
  whenUnsatisfiable: {{ $.w.topologySpread.whenUnsatisfiable }}
  labelSelector:
    matchLabels:
      {{- include "centralita.selector" (dict "root" $.root "component" $.w.name) | nindent 6 }}
  matchLabelKeys: [pod-template-hash]
{{- end -}}
{{- end -}}
{{- end }}
