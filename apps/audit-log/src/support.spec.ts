import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import {
  decodeEvent,
  encodeEvent,
  isType,
  schemaUri,
  type AccessRecord,
  type CloudEvent,
  type EventData,
  type EventType,
} from '@centralita/contracts';
import { createMemoryLog, type MemoryLog } from '@centralita/event-log';
import { Keyring } from '@centralita/keyring';
import { manifestOf } from '@centralita/platform-nest';
import { startTestService, type TestActor, type TestService } from '@centralita/platform-nest/testing';
import { createTestDatabase, until, type TestDatabase } from '@centralita/testing-engines';
import pg from 'pg';
import { v5 as uuidv5, v7 as uuidv7 } from 'uuid';
import { AuditLogModule } from './app.module.js';
import type { Config } from './config.js';
import { auditLog } from './service.js';
import { Signer } from './signing/signer.js';

export const newSigner = (): Signer =>
  new Signer(generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }));

/** Stands for a service that reads customer data: it numbers its records per lane, as the event store does. */
export class Source {
  readonly #versions = new Map<string, bigint>();

  constructor(
    private readonly log: MemoryLog,
    readonly tenantId: string,
  ) {}

  readonly lane = (n: number): string => uuidv5(`conversation:lane:${n}`, this.tenantId);

  /** Sends an event as the relay does; `skip` loses so many numbers before it. */
  async send<Type extends EventType>(
    topic: string,
    key: string,
    type: Type,
    data: EventData<Type>,
    options: { id?: string; time?: Date; skip?: number; traceparent?: string | undefined } = {},
  ): Promise<CloudEvent> {
    const version = (this.#versions.get(`${topic}/${key}`) ?? 0n) + 1n + BigInt(options.skip ?? 0);
    this.#versions.set(`${topic}/${key}`, version);
    const now = (options.time ?? new Date()).toISOString();
    const id = options.id ?? uuidv7();
    const event: CloudEvent = {
      specversion: '1.0',
      id,
      source: topic.startsWith('routing') ? '/centralita/routing' : '/centralita/conversation',
      type,
      time: now,
      subject: key,
      datacontenttype: 'application/json',
      dataschema: schemaUri(type),
      tenantid: this.tenantId,
      recordedtime: now,
      correlationid: id,
      causationid: null,
      keyversion: version.toString(),
      streamversion: version.toString(),
      data,
    };
    const headers = options.traceparent === undefined ? {} : { headers: { traceparent: options.traceparent } };
    await this.log.append([{ topic, key, value: encodeEvent(event), ...headers }]);
    return event;
  }

  /** Sends an access record on a lane and returns it. */
  async access(record: Partial<AccessRecord> = {}, lane = 0, traceparent?: string): Promise<AccessRecord> {
    const subjects = [...(record.subjects ?? [])].sort();
    const full: AccessRecord = {
      recordId: uuidv7(),
      occurredAt: new Date().toISOString(),
      service: 'conversation',
      outcome: 'disclosed',
      actor: { id: randomUUID(), role: 'agent', session: 'test' },
      action: 'conversation.thread.read',
      resource: { type: 'conversation', id: randomUUID() },
      fields: ['message_text'],
      resultCount: subjects.length,
      manifest: subjects.length > 1 ? manifestOf(subjects) : null,
      reason: { code: 'SUPERVISION_QA', reference: null, text: null },
      policy: { rule: 'roles-of-route', version: 1 },
      source: { ip: null, userAgent: null },
      ...record,
      subjects,
    };
    await this.send('access.events.v1', this.lane(lane), 'customer.data.accessed.v1', full, { id: full.recordId, traceparent });
    return full;
  }
}

export type Harness = {
  readonly service: TestService<Config>;
  readonly log: MemoryLog;
  readonly database: TestDatabase;
  readonly keyring: Keyring;
  readonly signer: Signer;
  /** Superuser: for what a test must see, or break, behind the service's back. */
  readonly admin: pg.Pool;
  /** One more process of the service on the same databases and log. */
  startAnother(): Promise<TestService<Config>>;
  /** A new tenant with its own customers and somebody who may read the ledger. */
  tenant(): { readonly id: string; readonly source: Source; readonly officer: TestActor };
  /** Makes customers with keys; their ids and the commitments under which the ledger knows them. */
  customers(tenantId: string, count: number): Promise<{ readonly id: string; readonly commitment: string }[]>;
  /** Both come into the queue before the sequencer looks, and then somebody takes the first one out. */
  loseIntake(of: { readonly id: string }, lost: () => Promise<AccessRecord>, kept: () => Promise<AccessRecord>): Promise<void>;
  /** Waits until a checkpoint on the log covers at least so many leaves and returns the newest size. */
  checkpointed(tenantId: string, leaves: number): Promise<bigint>;
  close(): Promise<void>;
};

export const startHarness = async (env: Record<string, string> = {}): Promise<Harness> => {
  const [database, keyringDatabase] = await Promise.all([
    createTestDatabase({ service: 'audit_log' }),
    createTestDatabase({ service: 'keyring' }),
  ]);
  const log = createMemoryLog();
  const signer = newSigner();
  const masterKey = randomBytes(32);
  const start = (migrate: boolean): Promise<TestService<Config>> =>
    startTestService({
      ...auditLog,
      database,
      keyring: keyringDatabase,
      masterKey,
      log,
      migrate,
      env: { AUDIT_SIGNING_KEY_FILE: 'given', AUDIT_CHECKPOINT_INTERVAL_MS: '50', AUDIT_REASON_PATIENCE_MS: '100', ...env },
      module: () => AuditLogModule.with(signer),
    });
  const service = await start(true);
  const keyring = await Keyring.open({ databaseUrl: keyringDatabase.appUrl, masterKey });
  const admin = new pg.Pool({ connectionString: database.adminUrl, max: 2 });
  admin.on('error', () => undefined);
  const others: TestService<Config>[] = [];
  return {
    service,
    log,
    database,
    keyring,
    signer,
    admin,
    startAnother: async () => {
      const another = await start(false);
      others.push(another);
      return another;
    },
    tenant: () => {
      const id = randomUUID();
      return { id, source: new Source(log, id), officer: { tenantId: id, roles: ['compliance'] } };
    },
    customers: async (tenantId, count) => {
      const ids = Array.from({ length: count }, () => randomUUID());
      await keyring.ensureSubjects(tenantId, ids);
      const keys = await keyring.sealer(tenantId, ids);
      return ids.map((id) => ({ id, commitment: keys.commitment(id) }));
    },
    loseIntake: async ({ id }, lost, kept) => {
      const client = await admin.connect();
      try {
        await client.query('begin');
        // The lease stands here: without it the sequencer does not even look at what waits.
        await client.query('lock table domain_head in access exclusive mode');
        const { recordId } = await lost();
        await kept();
        await until(async () => (await admin.query('select 1 from intake where tenant_id = $1', [id])).rowCount === 2);
        await client.query(`delete from intake where tenant_id = $1 and event_id = $2`, [id, recordId]);
        await client.query('commit');
      } finally {
        client.release();
      }
    },
    checkpointed: (tenantId, leaves) =>
      until(
        () =>
          log
            .records('audit.checkpoints.v1')
            .map((record) => decodeEvent(record.value))
            .flatMap((decoded) =>
              'event' in decoded && isType(decoded.event, 'audit.checkpoint.published.v1') ? [decoded.event] : [],
            )
            .filter(({ tenantid, data }) => tenantid === tenantId && BigInt(data.size) >= BigInt(leaves))
            .map(({ data }) => BigInt(data.size))
            .at(-1),
        { timeoutMs: 20_000, describe: `a checkpoint over ${leaves} leaves` },
      ),
    close: async () => {
      await Promise.all([service, ...others].map((each) => each.close()));
      await Promise.all([keyring.close(), admin.end(), log.close()]);
      await Promise.all([database.drop(), keyringDatabase.drop()]);
    },
  };
};
