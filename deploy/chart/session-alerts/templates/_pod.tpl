{{/* What all pods have of a pod. */}}
{{- define "session-alerts.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext: {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- range $name := list "nodeSelector" "tolerations" "affinity" }}
{{- with index $.Values $name }}
{{ $name }}: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- if or .Values.files .Values.extraVolumes }}
volumes:
  {{- if .Values.files }}
  - name: files
    projected:
      sources:
        {{- range $name, $from := .Values.files }}
        - {{ ternary "configMap" "secret" (hasKey $from "configMap") }}:
            name: {{ $from.configMap | default $from.secret }}
            items:
              - { key: {{ $from.key }}, path: {{ include "session-alerts.fileName" $name }} }
        {{- end }}
  {{- end }}
  {{- with .Values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* What all pods have of a container, but for its environment. */}}
{{- define "session-alerts.container" -}}
image: {{ include "session-alerts.image" . }}
{{- if ne .Values.image.pullPolicy "IfNotPresent" }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- end }}
securityContext: {{- toYaml .Values.securityContext | nindent 2 }}
{{- if or .Values.files .Values.extraVolumeMounts }}
volumeMounts:
  {{- if .Values.files }}
  - { name: files, mountPath: /etc/session-alerts, readOnly: true }
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}
