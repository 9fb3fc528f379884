import { parseManifests, type Manifest } from '../../manifests/manifest.js';

/** A deployment with its service, budget and account, of which every rule has nothing to say. */
export const goodText = `
apiVersion: v1
kind: ServiceAccount
metadata: { name: billing, namespace: messaging }
automountServiceAccountToken: false
---
apiVersion: v1
kind: ConfigMap
metadata: { name: billing, namespace: messaging }
data: { LOG_LEVEL: info }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: billing, namespace: messaging, labels: { app: billing } }
spec:
  replicas: 2
  selector: { matchLabels: { app: billing } }
  template:
    metadata: { labels: { app: billing, version: "1" } }
    spec:
      serviceAccountName: billing
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 60
      securityContext: { runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, seccompProfile: { type: RuntimeDefault } }
      containers:
        - name: billing
          image: registry.example.com/centralita/billing:1.0.0
          ports: [{ name: http, containerPort: 8080 }, { name: metrics, containerPort: 9090 }]
          envFrom: [{ configMapRef: { name: billing } }]
          env:
            - { name: NODE_ENV, value: production }
            - { name: KAFKA_SASL_PASSWORD_FILE, value: /secrets/kafka/password }
          resources:
            requests: { cpu: 200m, memory: 512Mi, ephemeral-storage: 64Mi }
            limits: { memory: 512Mi }
          securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: [ALL] } }
          volumeMounts: [{ name: tmp, mountPath: /tmp }, { name: kafka, mountPath: /secrets/kafka, readOnly: true }]
      volumes:
        - { name: tmp, emptyDir: { sizeLimit: 64Mi } }
        - { name: kafka, secret: { secretName: centralita-kafka, items: [{ key: password, path: password }] } }
---
apiVersion: v1
kind: Service
metadata: { name: billing, namespace: messaging }
spec:
  selector: { app: billing }
  ports: [{ name: http, port: 8080, targetPort: http }]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: billing, namespace: messaging }
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector: { matchLabels: { app: billing } }
`;

export const good: readonly Manifest[] = parseManifests(goodText);

/** The good objects with one text replaced. Throws when the text is not there: a specimen that is not bad proves nothing. */
export const butWith = (text: string, replacement: string, more = ''): readonly Manifest[] => {
  if (!goodText.includes(text)) throw new Error(`the specimen does not hold: ${text}`);
  return parseManifests(goodText.replace(text, replacement) + more);
};
