{{/*
Keys that were removed or renamed, with the sentence that mends the values. One entry: (dict "path" "kafka.old" "say" "Use kafka.new instead.").
The schema refuses unknown keys too, but cannot say what became of them; so these keys are in the schema as `deprecated`.
*/}}
{{- define "centralita.deprecations" -}}
{{- end }}
