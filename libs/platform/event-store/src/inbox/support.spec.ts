import { CloudEvent } from '@centralita/contracts';
import {
  createMemoryLog,
  eventRecord,
  type BatchMiddleware,
  type EventBatch,
  type MemoryLog,
  type RecordBatch,
} from '@centralita/event-log';
import type { Database } from '../database.js';
import { EventStore } from '../event-store.js';
import { tenantTable } from '../schema/tenant-table.js';
import { fixture, newId, type Fixture } from '../support.spec.js';
import type { Tx } from '../types.js';
import { inboxMiddleware, type InboxOptions } from './middleware.js';

export const stored = 'conversation.events.v1';
export const facts = 'wa.inbound.v1';

/** A log with two topics of one partition, so that offsets are easy to follow. */
export const smallLog = (): MemoryLog =>
  createMemoryLog({ topics: [stored, facts].map((name) => ({ name, partitions: 1, replicationFactor: 1 })) });

export type EventSpec = {
  tenant: string;
  key: string;
  version?: number;
  id?: string;
  type?: string;
  data?: unknown;
  cause?: CloudEvent['cause'];
};

export const eventOf = (spec: EventSpec): CloudEvent => ({
  specversion: '1.0',
  id: spec.id ?? newId(),
  source: '/centralita/conversation',
  type: spec.type ?? 'contact.identified.v1',
  time: '2026-01-01T00:00:00.000Z',
  subject: spec.key,
  datacontenttype: 'application/json',
  dataschema: 'urn:centralita:schema:any',
  tenantid: spec.tenant,
  recordedtime: '2026-01-01T00:00:00.000Z',
  correlationid: newId(),
  causationid: null,
  ...(spec.version === undefined ? {} : { keyversion: String(spec.version) }),
  ...(spec.cause === undefined ? {} : { cause: spec.cause }),
  data: spec.data ?? { contactId: newId(), subjectId: spec.key },
});

export const put = async (
  log: MemoryLog,
  topic: string,
  ...events: (CloudEvent | { key: string; raw: string })[]
): Promise<void> =>
  log.append(
    events.map((event) =>
      'raw' in event
        ? eventRecord({ topic, key: event.key, value: Buffer.from(event.raw) })
        : eventRecord({ topic, key: event.subject, value: Buffer.from(JSON.stringify(event)) }),
    ),
  );

/** Records [from, to) of the topic's only partition, as the transport would hand them over. */
export const batchOf = (log: MemoryLog, topic: string, from = 0, to?: number): RecordBatch => {
  const all = log.records(topic);
  const records = all.slice(from, to);
  return {
    topic,
    partition: 0,
    records,
    firstOffset: BigInt(from),
    lastOffset: BigInt(from + records.length - 1),
    endOffset: BigInt(all.length),
    heartbeat: async () => undefined,
    signal: new AbortController().signal,
    isStale: () => false,
  };
};

/** The fixture with a table that tells what was applied, in order, under row-level security. */
export const inboxFixture = (): Promise<Fixture> =>
  fixture({
    tables: (owner) =>
      owner.system(async (tx) => {
        await tx.query(
          `create table applied (tenant_id uuid not null, place bigint generated always as identity, group_id text, topic text, key text, event_id uuid, record_offset bigint)`,
        );
        for (const statement of tenantTable('applied')) await tx.query(statement);
      }),
  });

export const writeApplied =
  (groupId: string) =>
  async (batch: EventBatch): Promise<void> => {
    const tx = batch.tx as Tx;
    for (const { event, topic, key, offset } of batch.events)
      await tx.execute(
        `insert into applied (tenant_id, group_id, topic, key, event_id, record_offset) values ($1, $2, $3, $4, $5, $6)`,
        [batch.tenantId, groupId, topic, key, event.id, offset],
      );
  };

export type Applied = { tenant: string; topic: string; key: string; id: string };
export const applied = async (f: Fixture, groupId: string): Promise<Applied[]> =>
  (
    await f.admin.query<Applied>(
      `select tenant_id tenant, topic, key, event_id id from applied where group_id = $1 order by place`,
      [groupId],
    )
  ).rows;

export const nextOffset = async (f: Fixture, groupId: string, topic: string): Promise<number> => {
  const { rows } = await f.admin.query<{ n: string }>(
    `select next_offset n from consumer_offset where group_id = $1 and topic = $2`,
    [groupId, topic],
  );
  return Number(rows[0]?.n ?? 0);
};

export const operations = async (
  f: Fixture,
  type: string,
  groupId: string,
): Promise<{ tenant: string; data: Record<string, unknown> }[]> =>
  (
    await f.admin.query<{ tenant: string; data: Record<string, unknown> }>(
      `select tenant_id tenant, data from events where type = $1 and data->>'group' = $2 order by recorded_at`,
      [type, groupId],
    )
  ).rows;

export const middlewareOf = (
  db: Database,
  log: MemoryLog,
  groupId: string,
  options: Partial<InboxOptions> = {},
): BatchMiddleware =>
  inboxMiddleware({ db, groupId, store: new EventStore({ service: 'conversation' }), log, service: 'conversation', ...options });

export const none: ReadonlySet<string> = new Set();

/** True while a session of this database waits for a lock. */
export const somebodyWaits = async (f: Fixture): Promise<boolean> => {
  const { rows } = await f.admin.query(
    `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return rows.length > 0;
};
