{{/* The one template of a workload: Deployment, Service, ServiceAccount, disruption budget, scaling. (dict "root" $ "w" $workload) */}}
{{- define "centralita.workload" -}}
{{- $root := .root -}}
{{- $w := .w -}}
{{- $part := dict "root" $root "part" $w.name "component" $w.name -}}
{{- $out := dict "env" (dict) "secrets" (dict) "config" (dict) "token" (dict) "folders" (dict) -}}
{{- include "centralita.workloadEnv" (dict "root" $root "w" $w "out" $out) -}}
{{- $podAnnotations := deepCopy $w.podAnnotations -}}
{{- if $out.config }}{{ $_ := set $podAnnotations "checksum/config" (include "centralita.configData" $root | sha256sum) }}{{ end -}}
{{- if $root.Values.monitoring.scrapeAnnotations -}}
{{- $podAnnotations = merge $podAnnotations (dict "prometheus.io/scrape" "true" "prometheus.io/port" "9090" "prometheus.io/path" "/metrics") -}}
{{- end -}}
{{- if $w.serviceAccount.create }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "centralita.metadata" (merge (dict "name" (include "centralita.serviceAccount" .) "annotations" $w.serviceAccount.annotations "labels" $w.serviceAccount.labels) $part) | nindent 2 }}
automountServiceAccountToken: false
{{- end }}
---
apiVersion: v1
kind: Service
metadata:
  {{- include "centralita.metadata" (merge (dict "annotations" $w.service.annotations) $part) | nindent 2 }}
spec:
  type: ClusterIP
  {{- with $root.Values.network.ipFamilyPolicy }}
  ipFamilyPolicy: {{ . }}
  {{- end }}
  {{- with $root.Values.network.ipFamilies }}
  ipFamilies: {{ toJson . }}
  {{- end }}
  {{- with $w.service.trafficDistribution }}
  trafficDistribution: {{ . }}
  {{- end }}
  selector:
    {{- include "centralita.selector" $part | nindent 4 }}
  ports:
    {{- if $w.fact.api }}
    - { name: http, port: 8080, targetPort: http, protocol: TCP, appProtocol: http }
    {{- end }}
    - { name: metrics, port: 9090, targetPort: metrics, protocol: TCP, appProtocol: http }
---
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "centralita.metadata" (merge (dict "annotations" (merge (deepCopy $w.annotations) $root.Values.secretDelivery.reloaderAnnotations)) $part) | nindent 2 }}
spec:
  {{- if not $w.scaled }}
  replicas: {{ int $w.replicas }}
  {{- end }}
  revisionHistoryLimit: {{ int $w.revisionHistoryLimit }}
  minReadySeconds: {{ int $w.minReadySeconds }}
  {{- with $w.strategy }}
  strategy:
    {{- toYaml (ternary (omit . "rollingUpdate") . (eq .type "Recreate")) | nindent 4 }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "centralita.selector" $part | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "centralita.podLabels" (dict "root" $root "component" $w.name "extra" $w.podLabels) | nindent 8 }}
      {{- with include "centralita.annotations" (dict "root" $root "own" $podAnnotations) }}
      annotations:
        {{- . | nindent 8 }}
      {{- end }}
    spec:
      serviceAccountName: {{ include "centralita.serviceAccount" . }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      {{- with include "centralita.pullSecrets" $root }}
      imagePullSecrets:
        {{- . | nindent 8 }}
      {{- end }}
      securityContext:
        {{- include "centralita.podSecurityContext" (dict "root" $root "own" $w.podSecurityContext) | nindent 8 }}
      terminationGracePeriodSeconds: {{ int $w.grace }}
      {{- if $w.topologySpread.enabled }}
      topologySpreadConstraints:
        {{- include "centralita.topologySpread" . | nindent 8 }}
      {{- end }}
      {{- with include "centralita.scheduling" $w }}
      {{- . | nindent 6 }}
      {{- end }}
      {{- with $w.extraInitContainers }}
      initContainers:
        {{- include "centralita.tpl" (dict "root" $root "value" .) | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ $w.name }}
          image: {{ include "centralita.image" (dict "root" $root "app" $w.fact.app "image" $w.image) }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          {{- with ($w.args | default $w.fact.args) }}
          args: {{ toJson . }}
          {{- end }}
          securityContext:
            {{- include "centralita.securityContext" (dict "root" $root "own" $w.securityContext) | nindent 12 }}
          env:
            {{- include "centralita.envList" (dict "root" $root "out" $out "extra" $w.extraEnv) | nindent 12 }}
          {{- with $w.envFrom }}
          envFrom:
            {{- include "centralita.tpl" (dict "root" $root "value" .) | nindent 12 }}
          {{- end }}
          ports:
            {{- if $w.fact.api }}
            - { name: http, containerPort: 8080, protocol: TCP }
            {{- end }}
            - { name: metrics, containerPort: 9090, protocol: TCP }
          startupProbe:
            {{- toYaml (merge (deepCopy $w.probes.startup) (dict "httpGet" (dict "path" "/health/startup" "port" "metrics"))) | nindent 12 }}
          livenessProbe:
            {{- toYaml (merge (deepCopy $w.probes.liveness) (dict "httpGet" (dict "path" "/health/live" "port" "metrics"))) | nindent 12 }}
          readinessProbe:
            {{- toYaml (merge (deepCopy $w.probes.readiness) (dict "httpGet" (dict "path" "/health/ready" "port" "metrics"))) | nindent 12 }}
          {{- if gt (int $w.lifecycle.preStopSleepSeconds) 0 }}
          lifecycle:
            preStop: { sleep: { seconds: {{ int $w.lifecycle.preStopSleepSeconds }} } }
          {{- end }}
          resources:
            {{- toYaml $w.resources | nindent 12 }}
          volumeMounts:
            {{- include "centralita.mounts" (dict "root" $root "out" $out "extra" $w.extraVolumeMounts) | nindent 12 }}
        {{- with $w.extraContainers }}
        {{- include "centralita.tpl" (dict "root" $root "value" .) | nindent 8 }}
        {{- end }}
      volumes:
        {{- include "centralita.volumes" (dict "root" $root "out" $out "tmpSize" $w.tmpSize "extra" $w.extraVolumes) | nindent 8 }}
{{- if and $w.pdb.enabled (gt (int $w.fewest) 1) }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "centralita.metadata" $part | nindent 2 }}
spec:
  {{- if kindIs "invalid" $w.pdb.minAvailable }}
  maxUnavailable: {{ include "centralita.text" $w.pdb.maxUnavailable }}
  {{- else }}
  minAvailable: {{ include "centralita.text" $w.pdb.minAvailable }}
  {{- end }}
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "centralita.selector" $part | nindent 6 }}
{{- end }}
{{- if $w.autoscaling.hpa.enabled }}
{{- with $w.autoscaling.hpa }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "centralita.metadata" $part | nindent 2 }}
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: {{ include "centralita.name" $part }} }
  minReplicas: {{ int .minReplicas }}
  maxReplicas: {{ int .maxReplicas }}
  metrics:
    - type: Resource
      resource: { name: cpu, target: { type: Utilization, averageUtilization: {{ int .targetCPUUtilizationPercentage }} } }
    {{- with .metrics }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  behavior:
    scaleDown:
      stabilizationWindowSeconds: {{ int .scaleDownStabilizationSeconds }}
      policies: [{ type: Pods, value: 1, periodSeconds: 60 }]
{{- end }}
{{- end }}
{{- if $w.autoscaling.keda.enabled }}
{{- include "centralita.scaledObject" (merge (dict "out" $out) .) }}
{{- end }}
{{- end }}

{{/* KEDA on the lag of the workload's group. The operator signs in with the workload's own secret. (dict "root" "w" "out") */}}
{{- define "centralita.scaledObject" -}}
{{- $root := .root -}}
{{- $w := .w -}}
{{- $keda := $w.autoscaling.keda -}}
{{- $part := dict "root" $root "part" $w.name "component" $w.name -}}
{{- $name := include "centralita.name" $part -}}
{{- $k := $root.Values.kafka -}}
{{- $env := .out.env -}}
{{- $username := $w.kafka.username | default ($k.users.username | default (printf "%s%s" $k.users.prefix $w.name)) -}}
{{- $secret := $w.kafka.existingSecret | default ($k.users.existingSecret | default $username) -}}
{{- $authenticated := or $k.tls.enabled (has $k.sasl.mechanism (list "plain" "scram-sha-256" "scram-sha-512")) }}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  {{- include "centralita.metadata" $part | nindent 2 }}
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: {{ $name }} }
  minReplicaCount: {{ int $keda.minReplicas }}
  maxReplicaCount: {{ int $keda.maxReplicas }}
  pollingInterval: {{ int $keda.pollingInterval }}
  fallback: { failureThreshold: 3, replicas: {{ int $keda.fallbackReplicas }} }
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        scaleDown:
          stabilizationWindowSeconds: {{ int $keda.scaleDownStabilizationSeconds }}
          policies: [{ type: Pods, value: 1, periodSeconds: 300 }]
  triggers:
    {{- range $topic := $w.fact.reads }}
    - type: kafka
      metadata:
        bootstrapServers: {{ $k.brokers | quote }}
        consumerGroup: {{ $w.fact.group }}
        topic: {{ $topic }}
        lagThreshold: {{ int $keda.lagThreshold | quote }}
        offsetResetPolicy: earliest
        allowIdleConsumers: 'false'
        excludePersistentLag: {{ $keda.excludePersistentLag | quote }}
        {{- if eq $k.sasl.mechanism "oauthbearer" }}
        sasl: oauthbearer
        {{- else if $k.sasl.mechanism }}
        sasl: {{ get (dict "plain" "plaintext" "scram-sha-256" "scram_sha256" "scram-sha-512" "scram_sha512") $k.sasl.mechanism }}
        {{- end }}
        tls: {{ ternary "enable" "disable" $k.tls.enabled }}
      {{- if $authenticated }}
      authenticationRef: { name: {{ $name }} }
      {{- end }}
    {{- end }}
    {{- with $keda.extraTriggers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- if $authenticated }}
---
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata:
  {{- include "centralita.metadata" $part | nindent 2 }}
spec:
  {{- if has $k.sasl.mechanism (list "plain" "scram-sha-256" "scram-sha-512") }}
  env:
    - { parameter: username, name: KAFKA_SASL_USERNAME, containerName: {{ $w.name }} }
  {{- end }}
  secretTargetRef:
    {{- if has $k.sasl.mechanism (list "plain" "scram-sha-256" "scram-sha-512") }}
    - { parameter: password, name: {{ $secret }}, key: {{ $k.sasl.passwordKey }} }
    {{- end }}
    {{- if $k.tls.enabled }}
    {{- with $k.tls.ca.existingSecret }}
    - { parameter: ca, name: {{ . }}, key: {{ $k.tls.ca.key }} }
    {{- end }}
    {{- if $k.tls.client.enabled }}
    - { parameter: cert, name: {{ $secret }}, key: {{ $k.tls.client.certKey }} }
    - { parameter: key, name: {{ $secret }}, key: {{ $k.tls.client.keyKey }} }
    {{- end }}
    {{- end }}
{{- end }}
{{- end }}
