{{- define "centralita.validate" -}}
{{- end }}
