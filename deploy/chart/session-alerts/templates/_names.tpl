{{- define "session-alerts.fullname" -}}
{{- $name := .Release.Name }}
{{- if not (contains .Chart.Name $name) }}{{ $name = printf "%s-%s" $name .Chart.Name }}{{ end }}
{{- .Values.fullnameOverride | default $name | trunc 50 | trimSuffix "-" }}
{{- end }}

{{/* Alone it selects the server's pods: a selector can never be changed, and further labels may. */}}
{{- define "session-alerts.selectorLabels" -}}
app.kubernetes.io/name: {{ include "session-alerts.fullname" . }}
{{- end }}

{{- define "session-alerts.labels" -}}
{{ include "session-alerts.selectorLabels" . }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "session-alerts.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}
{{- else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* Without a slash at its end. */}}
{{- define "session-alerts.instance" -}}
{{ .Values.instance | trimSuffix "/" }}
{{- end }}

{{- define "session-alerts.host" -}}
{{ regexReplaceAll "^https?://([^/:]+).*$" .Values.instance "$1" }}
{{- end }}

{{/* As the server reads GLOBAL_PREFIX: with a leading slash and no trailing one; empty for none. */}}
{{- define "session-alerts.prefix" -}}
{{- $prefix := "/api/data" }}
{{- if hasKey .Values.settings "GLOBAL_PREFIX" }}{{ $prefix = toString .Values.settings.GLOBAL_PREFIX }}{{ end }}
{{- with $prefix | trimAll "/" }}/{{ . }}{{ end }}
{{- end }}

{{- define "session-alerts.apiUrl" -}}
{{ include "session-alerts.instance" . }}{{ include "session-alerts.prefix" . }}
{{- end }}

{{/* As the operator calls an AlertmanagerConfig's receiver. */}}
{{- define "session-alerts.receiver" -}}
{{ .Values.alertmanagerConfig.namespace | default .Release.Namespace }}/{{ include "session-alerts.fullname" . }}/renku-webhook
{{- end }}
