import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { render, renderText, tryRender } from '../helm/render.js';
import { at, ofKind, theOne } from '../manifests/manifest.js';
import { dependenciesChart, mainChart } from '../repository.js';
import { duplicateFindings } from '../rules/duplicates.js';
import { externalsOf, missingKeyFindings } from '../rules/references.js';
import { schemaFindings } from '../rules/schema.js';

// Each test starts helm, some several times: a quarter of a second on a quiet machine, much more on one that is busy.
jest.setTimeout(60_000);

const chart = dependenciesChart;

const everything = {
  kafka: { topics: { enabled: true } },
  postgres: { podMonitor: true, backup: { enabled: true, destinationPath: 's3://backups/centralita', existingSecret: 'backup' } },
  secrets: { roles: 'store', platform: true, store: { name: 'vault', keyPrefix: 'messaging/' } },
  certificates: { enabled: true, acme: { email: 'platform@example.com' }, hosts: { 'gateway-tls': ['console.example.com'] } },
};

const cases: readonly (readonly [string, Record<string, unknown>])[] = [
  ['default', {}],
  ['everything', everything],
  [
    'what a team adds where keys are its own',
    {
      commonLabels: { team: 'messaging' },
      kafka: { brokers: { resources: { limits: { cpu: '4', memory: '8Gi' } } }, networkPolicyPeers: [] },
      postgres: { parameters: { work_mem: '64MB' } },
      secrets: { platform: true, store: { name: 'vault' }, items: { another: ['key'] } },
    },
  ],
  ['certificates of mTLS', { kafka: { users: { authentication: 'tls' } } }],
  [
    'one broker, one instance',
    {
      kafka: {
        controllers: { replicas: 1 },
        brokers: { replicas: 1 },
        replicationFactor: 1,
        minInsyncReplicas: 1,
        rackTopologyKey: '',
      },
      postgres: { instances: 1, synchronousStandbys: 0 },
    },
  ],
  ['Kafka alone', { postgres: { enabled: false } }],
  ['PostgreSQL alone', { kafka: { enabled: false }, secrets: { roles: 'none' } }],
  ['nothing', { kafka: { enabled: false }, postgres: { enabled: false } }],
];

describe('centralita-deps', () => {
  it.each(cases)('renders what the operators know: %s', async (_, values) => {
    const manifests = render({ chart, values });
    expect(await schemaFindings(manifests)).toEqual([]);
    expect(duplicateFindings(manifests)).toEqual([]);
    expect(missingKeyFindings(manifests)).toEqual([]);
  });

  it('renders the same bytes twice', () => {
    expect(renderText({ chart, values: everything })).toBe(renderText({ chart, values: everything }));
  });

  it('keeps the record when it is uninstalled', () => {
    const manifests = render({ chart, values: everything });
    for (const topic of ofKind(manifests, 'KafkaTopic'))
      expect(topic.metadata.annotations?.['helm.sh/resource-policy']).toBe('keep');
    for (const database of ofKind(manifests, 'Database')) expect(at(database, 'spec', 'databaseReclaimPolicy')).toBe('retain');
    for (const pool of ofKind(manifests, 'KafkaNodePool'))
      expect(at(pool, 'spec', 'storage', 'volumes', 0, 'deleteClaim')).toBe(false);
  });

  it('gives topics the partitions of a profile, and unlimited retention', () => {
    for (const [profile, partitions] of [
      ['small', 12],
      ['medium', 48],
      ['large', 192],
    ] as const) {
      const topics = ofKind(render({ chart, values: { kafka: { topics: { enabled: true, profile } } } }), 'KafkaTopic');
      expect(topics).toHaveLength(9);
      for (const topic of topics)
        expect(topic.spec).toMatchObject({
          partitions,
          replicas: 3,
          config: { 'retention.ms': '-1', 'retention.bytes': '-1', 'cleanup.policy': 'delete', 'min.insync.replicas': '2' },
        });
    }
  });

  it('gives no role of a database the right to pass row-level security', () => {
    const roles = at(theOne(render({ chart }), 'Cluster', 'centralita-postgres'), 'spec', 'managed', 'roles') as Record<
      string,
      unknown
    >[];
    expect(roles).toHaveLength(22);
    for (const role of roles)
      expect(role).toMatchObject({ superuser: false, bypassrls: false, createdb: false, createrole: false });
  });

  it.each([
    [
      { kafka: { brokers: { replicas: 2 } } },
      'kafka.replicationFactor is 3, but there are 2 brokers: set kafka.brokers.replicas to at least 3',
    ],
    [
      { kafka: { minInsyncReplicas: 3 } },
      'kafka.minInsyncReplicas is 3 of 3 copies: one broker away would stop all writing; set it to 2',
    ],
    [{ kafka: { users: { authentication: 'plain' } } }, 'kafka.users.authentication must be scram-sha-512 or tls'],
    [{ kafka: { topics: { enabled: true, profile: 'huge' } } }, 'kafka.topics.profile must be small, medium or large'],
    [
      { postgres: { backup: { enabled: true } } },
      'postgres.backup.destinationPath is empty: say where backups go, for example s3://bucket/path',
    ],
    [
      { postgres: { instances: 1 } },
      'postgres.synchronousStandbys is 1, but only 0 of the instances can be standbys: every commit would wait for ever',
    ],
    [{ secrets: { roles: 'random' } }, 'secrets.roles must be generate, store or none'],
    [
      { secrets: { platform: true } },
      'secrets.store.name is empty: name the SecretStore or ClusterSecretStore that secrets are read from',
    ],
    [
      { certificates: { enabled: true } },
      'certificates need an issuer: set certificates.issuerRef.name, or certificates.acme.email for one of our own',
    ],
  ])('says how to mend %j', (values, sentence) => {
    const { status, stderr } = tryRender({ chart, values });
    expect(status).not.toBe(0);
    expect(stderr).toContain(sentence);
  });
});

describe('both charts', () => {
  const fromStore = { secrets: { platform: true, store: { name: 'vault' } } };

  it('have the same topics and access lists', () => {
    for (const file of ['files/acls.yaml', 'files/topics.yaml'])
      expect(readFileSync(join(dependenciesChart, file), 'utf8')).toBe(readFileSync(join(mainChart, file), 'utf8'));
  });

  it('fit without an edit: what the services read, the dependencies make, key by key', () => {
    const manifests = [...render(), ...render({ chart, release: 'deps', values: fromStore })];
    expect(externalsOf(manifests)).toEqual([]);
    expect(missingKeyFindings(manifests)).toEqual([]);
    expect(duplicateFindings(manifests)).toEqual([]);
  });

  it('would not fit under another name', () => {
    const values = { ...fromStore, kafka: { users: { prefix: 'other-' } }, postgres: { cluster: 'other' } };
    const names = externalsOf([...render(), ...render({ chart, release: 'deps', values })]).map(({ name }) => name);
    expect(names).toContain('centralita-conversation');
    expect(names).toContain('centralita-postgres-billing-app');
  });

  it('agree on addresses, topics and connections', () => {
    const dependencies = render({ chart, release: 'deps', values: fromStore });
    const main = JSON.stringify(render());
    expect(main).toContain(`${ofKind(dependencies, 'Kafka')[0]?.metadata.name}-kafka-bootstrap:9093`);
    expect(main).toContain(`${ofKind(dependencies, 'Cluster')[0]?.metadata.name}-rw:5432`);
  });
});
