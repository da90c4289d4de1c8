{{- define "als.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{ .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{- define "als.selector" -}}
app.kubernetes.io/name: azure-lattice-sync
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "als.labels" -}}
{{ include "als.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "als.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "als.name" .) }}
{{- end -}}

{{- define "als.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ printf "%s@%s" $image.repository $image.digest }}
{{- else -}}
{{ printf "%s:%s" $image.repository ($image.tag | default .Chart.AppVersion) }}
{{- end -}}
{{- end -}}

{{/* The keys of the Secret that the pods need, by the rest of the values. */}}
{{- define "als.secretKeys" -}}
{{- $keys := list "lattice" -}}
{{- if eq .Values.mode "daemon" }}{{ $keys = append $keys "http" }}{{ end -}}
{{- if not .Values.workloadIdentity.clientId }}{{ $keys = append $keys "entra" }}{{ end -}}
{{- if and (eq .Values.state.kind "postgres") (not .Values.state.postgres.url) }}{{ $keys = append $keys "state-url" }}{{ end -}}
{{ $keys | toJson }}
{{- end -}}

{{/* Refuses what the schema of the values cannot say in a clear sentence. */}}
{{- define "als.refuse" -}}
{{- $config := .Values.config -}}
{{- range $path := list "entra.clientSecret" "entra.certificate.password" "lattice.token" "http.token" "state.url" -}}
  {{- $found := $config -}}
  {{- range splitList "." $path -}}
    {{- if kindIs "map" $found }}{{ $found = get $found . }}{{ else }}{{ $found = "" }}{{ end -}}
  {{- end -}}
  {{- if $found }}{{ fail (printf "config.%s would put a secret into a ConfigMap, which many can read: put it into the Secret %s (values.yaml names its keys)" $path $.Values.secretName) }}{{ end -}}
{{- end -}}
{{- if and (gt (int .Values.replicas) 1) (eq .Values.state.kind "sqlite") }}{{ fail (printf "replicas is %d, and state.kind sqlite allows one: a database file has one writer, and a volume one pod. Set state.kind to postgres" (int .Values.replicas)) }}{{ end -}}
{{- if and (gt (int .Values.replicas) 1) (eq .Values.mode "cronjob") }}{{ fail "replicas is for mode daemon: a cron job has one run at a time" }}{{ end -}}
{{- if not (dig "entra" "tenantId" "" $config) }}{{ fail "config.entra.tenantId is empty: set it to your tenant's id or domain" }}{{ end -}}
{{- if dig "state" "path" "" $config }}{{ fail "config.state.path is set by the chart (state.kind): remove it" }}{{ end -}}
{{- if dig "http" "listen" "" $config }}{{ fail "config.http.listen is set by the chart: remove it" }}{{ end -}}
{{- if and (not .Values.workloadIdentity.clientId) (not (dig "entra" "clientId" "" $config)) }}{{ fail "set config.entra.clientId (with the key entra in the Secret), or workloadIdentity.clientId" }}{{ end -}}
{{- if and (eq .Values.state.kind "postgres") .Values.networkPolicy.enabled (not .Values.networkPolicy.database) }}{{ fail "state.kind is postgres, and networkPolicy.database is empty: name the peers that are your database, such as [{ipBlock: {cidr: 10.1.2.0/28}}]" }}{{ end -}}
{{- if regexMatch "://[^/@]*:[^/]*@" .Values.state.postgres.url }}{{ fail (printf "state.postgres.url contains a password: put the URL into the Secret %s with the key state-url" .Values.secretName) }}{{ end -}}
{{- if and (eq .Values.state.kind "postgres") (eq (dig "state" "signIn" "password" $config) "password") .Values.state.postgres.url }}{{ fail "state.postgres.url has no password: set config.state.signIn to entra, or put a URL with a password into the Secret" }}{{ end -}}
{{- end -}}

{{/* The template of the pods: of the daemon, or of a run. */}}
{{- define "als.podTemplate" -}}
{{- $values := .Values -}}
{{- $daemon := eq $values.mode "daemon" -}}
{{- $sqlite := eq $values.state.kind "sqlite" -}}
{{- $secrets := "/run/secrets/azure-lattice-sync" -}}
metadata:
  labels:
    {{- include "als.selector" . | nindent 4 }}
    {{- if $values.workloadIdentity.clientId }}
    azure.workload.identity/use: "true"
    {{- end }}
    {{- with $values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  annotations:
    checksum/config: {{ toYaml $values.config | sha256sum }}
    {{- with $values.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  {{- if not $daemon }}
  restartPolicy: Never
  {{- end }}
  serviceAccountName: {{ include "als.serviceAccount" . }}
  # The program does not use the Kubernetes API; workload identity mounts its own token.
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: 20
  {{- with $values.image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: { type: RuntimeDefault }
  {{- if and $daemon (gt (int $values.replicas) 1) }}
  # Replicas on one node would fail with it.
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "als.selector" . | nindent 10 }}
  {{- end }}
  containers:
    - name: azure-lattice-sync
      image: {{ include "als.image" . | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      {{- if $daemon }}
      args: [daemon, --listen, "0.0.0.0:9464"]
      {{- else }}
      # Exit code 3 (held by the guard) and 4 (some people failed) mark the job as failed, so that someone looks.
      args: [sync]
      {{- end }}
      env:
        - { name: ALS_CONFIG, value: /etc/azure-lattice-sync/azure-lattice-sync.yaml }
        {{- if $daemon }}
        # How messages write the command.
        - name: POD_NAMESPACE
          valueFrom: { fieldRef: { fieldPath: metadata.namespace } }
        - name: ALS_COMMAND
          value: kubectl exec --namespace $(POD_NAMESPACE) deployment/{{ include "als.name" . }} -- azure-lattice-sync
        - { name: ALS_HTTP_TOKEN_FILE, value: {{ $secrets }}/http }
        {{- else if $values.cronJob.metricsPushUrl }}
        - { name: ALS_METRICS_PUSH_URL, value: {{ $values.cronJob.metricsPushUrl | quote }} }
        {{- end }}
        - { name: LATTICE_API_KEY_FILE, value: {{ $secrets }}/lattice }
        {{- if not $values.workloadIdentity.clientId }}
        - { name: AZURE_CLIENT_SECRET_FILE, value: {{ $secrets }}/entra }
        {{- end }}
        {{- if not $sqlite }}
        {{- if $values.state.postgres.url }}
        - { name: ALS_STATE_URL, value: {{ $values.state.postgres.url | quote }} }
        {{- else }}
        - { name: ALS_STATE_URL_FILE, value: {{ $secrets }}/state-url }
        {{- end }}
        {{- end }}
        {{- with $values.extraEnv }}{{ toYaml . | nindent 8 }}{{ end }}
      {{- if $daemon }}
      ports:
        - { name: http, containerPort: 9464 }
      startupProbe:
        httpGet: { path: /healthz, port: http }
        periodSeconds: 2
        failureThreshold: 30
      livenessProbe:
        httpGet: { path: /healthz, port: http }
        periodSeconds: 30
        timeoutSeconds: 5
      # /readyz is not used here: it says whether cycles end well, but the dashboard is needed most when they do not.
      readinessProbe:
        httpGet: { path: /healthz, port: http }
        periodSeconds: 10
        timeoutSeconds: 5
      {{- end }}
      resources:
        {{- toYaml $values.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: { drop: [ALL] }
      volumeMounts:
        {{- if $sqlite }}
        - { name: state, mountPath: /app/state }
        {{- end }}
        - { name: config, mountPath: /etc/azure-lattice-sync, readOnly: true }
        - { name: secrets, mountPath: {{ $secrets }}, readOnly: true }
        - { name: temporary, mountPath: /tmp }
        {{- with $values.extraVolumeMounts }}{{ toYaml . | nindent 8 }}{{ end }}
  volumes:
    {{- if $sqlite }}
    - name: state
      persistentVolumeClaim: { claimName: {{ $values.state.sqlite.existingClaim | default (include "als.name" .) }} }
    {{- end }}
    - name: config
      configMap: { name: {{ include "als.name" . }} }
    # A pod does not start if the Secret lacks one of these keys.
    - name: secrets
      secret:
        secretName: {{ $values.secretName }}
        defaultMode: 0440
        items:
          {{- range include "als.secretKeys" . | fromJsonArray }}
          - { key: {{ . }}, path: {{ . }} }
          {{- end }}
    # The program does not need /tmp. For a large company a dry run puts its copy of the database there instead of in memory.
    - name: temporary
      emptyDir: { sizeLimit: 2Gi }
    {{- with $values.extraVolumes }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- with $values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
