{{- define "grid.labels" -}}
app.kubernetes.io/name: grid
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "grid.selector" -}}
app.kubernetes.io/name: grid
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
