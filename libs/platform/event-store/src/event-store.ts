import { Uuid, PlatformError, type Service, type Topic } from '@centralita/contracts';
import { activeTraceparent, traceparentOfCause } from '@centralita/event-log';
import { v7 as uuidv7 } from 'uuid';
import { markAppended } from './database.js';
import { checkedData, sourceOf, type EventMeta, type EventRow } from './event-data.js';
import { prepared } from './prepared.js';
import { toBigInt, type Appended, type DomainLease, type NewEvent, type RecordedEvent, type Tx } from './types.js';

export type EventStoreOptions = {
  /** Whose store it is: the source of its events, and checked against their producers. */
  readonly service: Service;
  readonly clock?: () => Date;
  readonly newId?: () => string;
};

const columns = `topic, key, key_version, stream_id, stream_version, event_id, type, data, meta, recorded_at, domain_id, domain_seq`;

type StoredRow = Omit<EventRow, 'tenant_id'> & { readonly domain_id: string | null };

const recordedEvent = (row: StoredRow): RecordedEvent =>
  ({
    id: row.event_id,
    topic: row.topic,
    key: row.key,
    keyVersion: toBigInt(row.key_version),
    streamId: row.stream_id,
    streamVersion: Number(row.stream_version),
    type: row.type,
    data: row.data,
    time: new Date(row.meta.time),
    recordedAt: row.recorded_at,
    correlationId: row.meta.correlationId,
    causationId: row.meta.causationId,
    cause: row.meta.cause ?? null,
    domainId: row.domain_id,
    domainSeq: row.domain_seq === null ? null : toBigInt(row.domain_seq),
    // The row was checked against the catalogue when it was appended.
  }) as RecordedEvent;

type AppendedRow = { readonly key_version: string; readonly stream_version: string; readonly domain_seq: string | null };

const APPEND_ONE = prepared(`select * from append_event($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`);
const APPEND_MANY = prepared(
  `select key_version, stream_version, domain_seq
   from append_events($1, $2, $3::uuid[], $4::uuid[], $5::bigint[], $6::uuid[], $7::text[], $8::jsonb[], $9::jsonb[], $10, $11)`,
);

/** A stream's events carry the same expectation; a running count would be accepted for the first and refused for the rest. */
const checkExpectations = (events: readonly NewEvent[]): void => {
  const expected = new Map<string, number | 'any'>();
  for (const { streamId, expectedVersion } of events) {
    if (expectedVersion !== 'any' && (!Number.isSafeInteger(expectedVersion) || expectedVersion < 0))
      throw new PlatformError('INTERNAL', 'an expected version is a whole number from 0', { streamId });
    const first = expected.get(streamId) ?? expectedVersion;
    if (first !== expectedVersion) throw new PlatformError('INTERNAL', 'two expected versions for one stream', { streamId });
    expected.set(streamId, first);
  }
};

/** Events of one service: appended inside the caller's transaction, published later by the relay. */
export class EventStore {
  readonly service: Service;
  readonly #clock: () => Date;
  readonly #newId: () => string;

  constructor(options: EventStoreOptions) {
    this.service = options.service;
    this.#clock = options.clock ?? ((): Date => new Date());
    this.#newId = options.newId ?? uuidv7;
  }

  /**
   * Appends events over any keys and streams, in order. With a domain they also get its next positions, and its epoch is checked.
   * One call per transaction where possible: keys are locked in order within a call, not between calls.
   *
   * Throws VERSION_CONFLICT when a stream is not at its expected version, STALE_EPOCH when the domain has a newer holder,
   * RECORD_INVALID, EVENT_UNKNOWN and RECORD_TOO_LARGE when the catalogue or the log would refuse an event.
   */
  async append(tx: Tx, topic: Topic, events: readonly NewEvent[], domain?: DomainLease): Promise<Appended[]> {
    if (events.length === 0) return [];
    markAppended(tx);
    checkExpectations(events);
    const now = this.#clock();
    const active = activeTraceparent();
    const rendered = events.map((event) => {
      const trace = event.traceparent ?? (event.cause && traceparentOfCause(event.cause)) ?? active;
      const { json, keyId } = checkedData(event, topic, this.service);
      const id = event.id ?? this.#newId();
      const meta: EventMeta = {
        source: sourceOf(this.service),
        time: (event.time ?? now).toISOString(),
        correlationId: event.correlationId ?? id,
        causationId: event.causationId ?? tx.commandId ?? null,
        ...(tx.commandId === undefined ? {} : { commandId: tx.commandId }),
        ...(event.cause === undefined ? {} : { cause: event.cause }),
        ...(keyId === undefined ? {} : { keyId }),
        ...(trace === undefined ? {} : { traceparent: trace }),
      };
      return { event, id, json, meta: JSON.stringify(meta) };
    });
    const domainParameters = [domain?.id ?? null, domain?.epoch ?? null];
    const expectedOf = ({ expectedVersion }: NewEvent): number | null => (expectedVersion === 'any' ? null : expectedVersion);
    const [only] = rendered.length === 1 ? rendered : [];
    const rows =
      only === undefined
        ? await tx.query<AppendedRow>(APPEND_MANY, [
            tx.tenantId,
            topic,
            events.map(({ key }) => key),
            events.map(({ streamId }) => streamId),
            events.map(expectedOf),
            rendered.map(({ id }) => id),
            events.map(({ type }) => type),
            rendered.map(({ json }) => json),
            rendered.map(({ meta }) => meta),
            ...domainParameters,
          ])
        : await tx.query<AppendedRow>(APPEND_ONE, [
            tx.tenantId,
            topic,
            only.event.key,
            only.event.streamId,
            expectedOf(only.event),
            only.id,
            only.event.type,
            only.json,
            only.meta,
            ...domainParameters,
          ]);
    return rows.map((row, index) => {
      const { event, id } = rendered[index] as (typeof rendered)[number];
      return {
        id,
        key: event.key,
        keyVersion: toBigInt(row.key_version),
        streamId: event.streamId,
        streamVersion: toBigInt(row.stream_version),
        domainSeq: row.domain_seq === null ? null : toBigInt(row.domain_seq),
      };
    });
  }

  /** Events of a stream in order, from a version on (@default 1). An unknown stream is empty. */
  async load(tx: Tx, streamId: string, fromVersion = 1): Promise<RecordedEvent[]> {
    const rows = await tx.query<StoredRow>(
      `select ${columns} from events where tenant_id = $1 and stream_id = $2 and stream_version >= $3 order by stream_version`,
      [tx.tenantId, streamId, fromVersion],
    );
    return rows.map(recordedEvent);
  }

  /** Events of a domain in its order, from a position (inclusive) on. */
  async readDomain(tx: Tx, domainId: string, fromSeq: bigint, limit: number): Promise<RecordedEvent[]> {
    const rows = await tx.query<StoredRow>(
      `select ${columns} from events where tenant_id = $1 and domain_id = $2 and domain_seq >= $3 order by domain_seq limit $4`,
      [tx.tenantId, domainId, fromSeq, limit],
    );
    return rows.map(recordedEvent);
  }

  /**
   * Takes or renews the lease of a domain, by the clock of the database. A new holder gets the next epoch, and with it every append
   * of the old one is refused; the lease only keeps two from taking turns. `holder` is unique to a start of a process. Null while
   * another one holds it.
   */
  async leaseDomain(
    tx: Tx,
    domainId: string,
    holder: string,
    ttlMs: number,
  ): Promise<(DomainLease & { lastSeq: bigint }) | null> {
    if (!Uuid.safeParse(domainId).success) throw new PlatformError('INTERNAL', 'a domain id is a UUID');
    const [row] = await tx.query<{ epoch: string; last_seq: string }>(
      `insert into domain_head as d (tenant_id, domain_id, epoch, holder, leased_until)
       values ($1, $2, 1, $3, clock_timestamp() + $4 * interval '1 millisecond')
       on conflict (tenant_id, domain_id) do update
         set epoch = d.epoch + (d.holder is distinct from excluded.holder)::int, holder = excluded.holder,
             leased_until = clock_timestamp() + $4 * interval '1 millisecond'
         where d.holder = excluded.holder or d.leased_until is null or d.leased_until < clock_timestamp()
       returning epoch, last_seq`,
      [tx.tenantId, domainId, holder, ttlMs],
    );
    return row === undefined ? null : { id: domainId, epoch: toBigInt(row.epoch), lastSeq: toBigInt(row.last_seq) };
  }

  /** Gives the lease up, so that the next holder need not wait for it to run out. */
  async releaseDomain(tx: Tx, domainId: string, holder: string): Promise<void> {
    await tx.execute(
      `update domain_head set leased_until = null, holder = null where tenant_id = $1 and domain_id = $2 and holder = $3`,
      [tx.tenantId, domainId, holder],
    );
  }
}
