{{/* What of the instance's paths comes here. Of webhooks these alone, as Renku's data services have others. */}}
{{- define "session-alerts.paths" -}}
{{- $prefix := include "session-alerts.prefix" . }}
- { path: {{ $prefix }}/webhooks/alertmanager, exact: true }
- { path: {{ $prefix }}/webhooks/grafana, exact: true }
- { path: {{ $prefix }}/alerts, exact: false }
- { path: /panel, exact: false }
{{- end }}
