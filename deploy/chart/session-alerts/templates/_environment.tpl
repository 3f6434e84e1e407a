{{/* The server's settings that hold no secret, as YAML; what is not set comes from other values. */}}
{{- define "session-alerts.settings" -}}
{{- $others := dict
  "OIDC_ISSUER" (printf "%s/auth/realms/Renku" (include "session-alerts.instance" .))
  "PUBLIC_URL" (include "session-alerts.apiUrl" .) }}
{{- if ne .Values.migrations.by "start" }}{{ $_ := set $others "MIGRATE_ON_START" "false" }}{{ end }}
{{- if .Values.alertmanagerConfig.enabled }}
{{- $_ := set $others "RECONCILE_RECEIVER" (include "session-alerts.receiver" .) }}
{{- end }}
{{- range $name, $value := .Values.settings }}
{{- /* Numbers of YAML are floating, and large ones would be written with an exponent. */}}
{{- if kindIs "float64" $value }}{{ $value = int64 $value }}{{ end }}
{{- if or (ne (toString $value) "") (eq $name "GLOBAL_PREFIX") }}{{ $_ := set $others $name (toString $value) }}{{ end }}
{{- end }}
{{- toYaml $others }}
{{- end }}

{{/* Where the server finds a file: SMTP_PASSWORD_FILE is smtp-password. */}}
{{- define "session-alerts.fileName" -}}
{{ . | trimSuffix "_FILE" | lower | replace "_" "-" }}
{{- end }}

{{/* The database's addresses, each from a Secret. */}}
{{- define "session-alerts.databaseEnv" -}}
{{- $database := .Values.database }}
{{- with $database.cloudNativePG }}
{{- if .cluster }}
{{- $secret := printf "%s-app" .cluster }}
- name: {{ ternary "DATABASE_DIRECT_URL" "DATABASE_URL" (ne .pooler "") }}
  valueFrom: { secretKeyRef: { name: {{ $secret }}, key: uri } }
{{- if or .pooler .readFromStandbys }}
{{- range $name, $key := dict "CLUSTER_USER" "username" "CLUSTER_PASSWORD" "password" "CLUSTER_DATABASE" "dbname" }}
- name: {{ $name }}
  valueFrom: { secretKeyRef: { name: {{ $secret }}, key: {{ $key }} } }
{{- end }}
{{- $address := "postgresql://$(CLUSTER_USER):$(CLUSTER_PASSWORD)@%s:5432/$(CLUSTER_DATABASE)" }}
{{- if .pooler }}
- name: DATABASE_URL
  value: {{ printf $address .pooler }}
{{- end }}
{{- if .readFromStandbys }}
- name: DATABASE_READ_URL
  value: {{ printf $address (printf "%s-ro" .cluster) }}
{{- end }}
{{- end }}
{{- else }}
{{- range $name, $key := $database.keys }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef: { name: {{ $database.secret }}, key: {{ $key }} }
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* All that the server reads, the command line too. */}}
{{- define "session-alerts.env" -}}
{{- range $name, $value := include "session-alerts.settings" . | fromYaml }}
- name: {{ $name }}
  value: {{ $value | squote }}
{{- end }}
{{- range $name, $_ := .Values.files }}
- name: {{ $name }}
  value: /etc/session-alerts/{{ include "session-alerts.fileName" $name }}
{{- end }}
{{- include "session-alerts.databaseEnv" . }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
