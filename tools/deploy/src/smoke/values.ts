import type { Secrets, SecretFiles } from '@centralita/tool-start';
import { readFileSync } from 'node:fs';
import type { Data } from './cluster/store.js';

/** Names by which pods reach what is outside of the chart, and the address of each. */
export const outside = { kafka: '10.208.0.2', postgres: '10.208.0.3', simulator: '10.208.0.4', identity: '10.208.0.5' } as const;

/** Ports of what people and the simulator open, on loopback. */
export const ports = { gateway: 4400, simulator: 4401, identity: 4402, webhook: 4403, kafka: 9094 } as const;

export const release = { name: 'smoke', namespace: 'switchboard' } as const;

const at = (port: number): string => `http://127.0.0.1:${port}`;

/** In the gateway's pod, the way to the identity provider: it listens on loopback, and its address must be the same for browsers and gateway. */
const toTheProvider = `require('node:net').createServer((from) => {
  const to = require('node:net').connect(${ports.identity}, 'identity');
  from.pipe(to).pipe(from);
  for (const one of [from, to]) one.on('error', () => { from.destroy(); to.destroy(); });
}).listen(${ports.identity}, '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));`;

/**
 * Values of a trial: profile dev, one pod of each workload, no TLS to engines of this machine, an identity provider and a Graph API that
 * are ours. All else is the chart's.
 */
export const smokeValues = (postgresPort: number, tag: string): Record<string, unknown> => ({
  profile: 'dev',
  image: { registry: 'localhost', repository: 'centralita', tag, pullPolicy: 'Never' },
  defaults: { replicas: 1 },
  services: {
    ingest: { roles: { webhook: { replicas: 1 } } },
    conversation: { replicas: 1 },
    gateway: {
      // The day signs everybody in from one address.
      env: { LOGIN_RATE_PER_MINUTE: '600' },
      extraContainers: [
        {
          name: 'to-the-provider',
          image: `localhost/centralita/gateway:${tag}`,
          command: ['node', '-e', toTheProvider],
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            runAsNonRoot: true,
            capabilities: { drop: ['ALL'] },
          },
          resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '128Mi' } },
        },
      ],
    },
  },
  kafka: {
    brokers: `kafka:${ports.kafka}`,
    tls: { enabled: false },
    sasl: { mechanism: '' },
    topics: { replicationFactor: 1, minInsyncReplicas: 1 },
  },
  postgres: { defaults: { host: 'postgres', port: postgresPort, sslmode: 'disable', maxConnections: 400 } },
  whatsapp: { apiBase: `http://simulator:${ports.simulator}` },
  oidc: { issuer: at(ports.identity) },
  media: { folder: { existingClaim: 'media' } },
  exposure: {
    gateway: { publicUrl: at(ports.gateway) },
    webhook: { publicUrl: at(ports.webhook) },
    trustedProxyHops: 0,
  },
});

const read = (file: string): string => readFileSync(file, 'utf8');

/** The secrets that the chart expects to find, by its own default names. */
export const chartSecrets =
  (secrets: Secrets, files: SecretFiles) =>
  (name: string): Data | null => {
    const role = /^centralita-postgres-(.+)-(app|relay|owner)$/.exec(name);
    if (role) return { username: `${role[1]?.replaceAll('-', '_')}_${role[2]}`, password: secrets.databasePassword };
    const known: Record<string, Data> = {
      'centralita-keyring-master-key': { 'master-key': secrets.keyringMasterKey },
      'centralita-session': { 'session-secret': secrets.sessionSecret },
      'centralita-oidc': { 'client-secret': secrets.oidcClientSecret },
      'centralita-apps': { 'apps.json': read(files.apps) },
      'centralita-accounts': { 'accounts.json': read(files.accounts) },
      'centralita-tenants': { 'tenants.json': read(files.tenants) },
      'centralita-gateway-signing-key': { 'tls.key': secrets.tokenKey },
      'centralita-audit-log-signing-key': { 'tls.key': secrets.ledgerKey },
    };
    return known[name] ?? null;
  };
