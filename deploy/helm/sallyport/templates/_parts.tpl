{{- define "sallyport.name" -}}
{{- ternary .Release.Name (printf "%s-sallyport" .Release.Name) (contains "sallyport" .Release.Name) | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "sallyport.selector" -}}
app.kubernetes.io/name: sallyport
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "sallyport.labels" -}}
{{ include "sallyport.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "sallyport.locked" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{/* The gateway's container: by itself, or as a sidecar that only nginx of the same pod reaches. */}}
{{- define "sallyport.container" -}}
name: sallyport
{{- if eq .Values.mode "sidecar" }}
restartPolicy: Always
{{- end }}
image: {{ .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- with .Values.secret }}
envFrom:
  - secretRef: { name: {{ . }} }
{{- end }}
env:
  {{- if eq .Values.mode "sidecar" }}
  - { name: Server__Listen, value: "127.0.0.1:3000" }
  {{- end }}
  - { name: Server__AdminListen, value: "0.0.0.0:9464" }
ports:
  {{- if eq .Values.mode "gateway" }}
  - { name: http, containerPort: 3000 }
  {{- end }}
  - { name: admin, containerPort: 9464 }
startupProbe:
  httpGet: { path: /readyz, port: admin }
  periodSeconds: 1
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /healthz, port: admin }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: { path: /readyz, port: admin }
  periodSeconds: 2
  timeoutSeconds: 3
  failureThreshold: 1
securityContext:
  runAsUser: 1000
  runAsGroup: 1000
  {{- include "sallyport.locked" . | nindent 2 }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
volumeMounts:
  - { name: configuration, mountPath: /etc/sallyport, readOnly: true }
  - { name: state, mountPath: /var/lib/sallyport }
{{- end }}
