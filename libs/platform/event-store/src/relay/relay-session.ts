import type pg from 'pg';
import { PlatformError } from '@centralita/contracts';
import { Client } from '../connection.js';
import { databaseError } from '../database-error.js';
import type { EventRow } from '../event-data.js';
import type { RelayOptions } from './relay-options.js';

const BUCKETS = 16;
/** Two-part keys of advisory locks: 16 buckets, and a shared one that says how many relays there are. */
const LOCK_SPACE = 0x63_6c_72;
const PRESENCE = 1_000;
/** On which relays of one database tell each other that there is something to publish. */
const CHANNEL = 'centralita_relay';

export type HeadRow = EventRow & {
  readonly bucket: number;
  readonly dirty_since: Date;
  readonly published_version: string;
  readonly last_version: string;
};
/** A dirty head; the columns of the event are null when there is none. */
export type ReadRow =
  HeadRow | (Omit<HeadRow, 'key_version' | 'event_id'> & { readonly key_version: null; readonly event_id: null });

export type Sent = {
  readonly tenantId: string;
  readonly topic: string;
  readonly key: string;
  readonly from: bigint;
  readonly to: bigint;
  readonly eventId: string;
};

/** See {@link RelayOptions}. */
export type ReadLimits = Required<Pick<RelayOptions, 'headsPerBucket' | 'eventsPerHead' | 'eventsPerPass' | 'bytesPerPass'>>;

/**
 * One connection of the relay role. The leases of its buckets end with it, so a killed relay is followed at once. Two relays on one
 * bucket would be wasteful and not wrong: each sends a run that starts right after what is acknowledged.
 */
export class RelaySession {
  readonly #client: pg.Client;
  #buckets: number[] = [];
  #broken = false;
  #warning = false;
  #relays = 1;
  #now = new Date(0);

  private constructor(client: pg.Client, onRing: () => void) {
    this.#client = client;
    client.on('notification', ({ processId }) => {
      if (processId !== (client as pg.Client & { readonly processID?: number }).processID) onRing();
    });
    client.on('error', () => (this.#broken = true));
    client.on('end', () => (this.#broken = true));
    client.on('notice', (notice) => (this.#warning ||= notice.severity === 'WARNING'));
  }

  /** `onRing` is called when another relay of this database has heard of a commit. */
  static async open(url: string, service: string, leaseMs: number, onRing: () => void): Promise<RelaySession> {
    const client = new Client({
      connectionString: url,
      application_name: `${service}-relay`,
      connectionTimeoutMillis: 5_000,
      statement_timeout: 15_000,
      keepAlive: true,
    });
    const session = new RelaySession(client, onRing);
    try {
      await client.connect();
      // The fence means nothing without this; and compiling small statements costs more than it gains.
      await client.query(`set synchronous_commit = on; set jit = off; listen ${CHANNEL}`);
      // A frozen process keeps its connection: the server ends the session, and with it the leases.
      await client.query(`select set_config('idle_session_timeout', $1, false)`, [String(leaseMs)]);
      await client.query(`select pg_advisory_lock_shared($1::int, $2::int)`, [LOCK_SPACE, PRESENCE]);
    } catch (error) {
      await session.close();
      throw databaseError(error);
    }
    return session;
  }

  get buckets(): readonly number[] {
    return this.#buckets;
  }

  get broken(): boolean {
    return this.#broken;
  }

  /** Not the only one: others hold the rest of the buckets. */
  get hasCompany(): boolean {
    return this.#relays > 1;
  }

  /** The database's clock, which `dirty_since` is written with, at the last balance: a moment in the past. */
  get now(): Date {
    return this.#now;
  }

  /**
   * Wakes the relays of other processes: the commit that this one has heard of may lie in their buckets. Apart from the commit, whose
   * price it would raise (notifying transactions commit one after the other). Not waited for: it is only for speed.
   */
  ring(): void {
    this.query(`select pg_notify($1, '')`, [CHANNEL]).catch(() => undefined);
  }

  /** Takes free buckets up to this relay's share, and gives back what is above it. Returns those given back. */
  async balance(): Promise<readonly number[]> {
    const [row] = await this.query<{ relays: string; now: Date }>(
      `select count(*) as relays, clock_timestamp() as now from pg_locks
       where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())
         and classid = $1::int::oid and objid = $2::int::oid and granted`,
      [LOCK_SPACE, PRESENCE],
      'balance',
    );
    if (row === undefined) throw new PlatformError('INTERNAL', 'the database has no clock');
    this.#now = row.now;
    this.#relays = Math.max(1, Number(row.relays));
    const share = Math.ceil(BUCKETS / this.#relays);
    const surplus = this.#buckets.slice(share);
    for (const bucket of surplus) await this.query(`select pg_advisory_unlock($1::int, $2::int)`, [LOCK_SPACE, bucket]);
    this.#buckets = this.#buckets.slice(0, share);
    for (let bucket = 0; bucket < BUCKETS && this.#buckets.length < share; bucket += 1) {
      if (this.#buckets.includes(bucket) || surplus.includes(bucket)) continue;
      const [lock] = await this.query<{ taken: boolean }>(`select pg_try_advisory_lock($1::int, $2::int) as taken`, [
        LOCK_SPACE,
        bucket,
      ]);
      if (lock?.taken) this.#buckets.push(bucket);
    }
    return surplus;
  }

  read(floor: Date | null, limits: ReadLimits): Promise<ReadRow[]> {
    return this.query<ReadRow>(
      `select * from relay_read($1::smallint[], coalesce($2::timestamptz, '-infinity'), $3, $4, $5, $6)`,
      [this.#buckets, floor, limits.headsPerBucket, limits.eventsPerHead, limits.eventsPerPass, limits.bytesPerPass],
      'read',
    );
  }

  /**
   * A committed write-ahead record after what was read: once it is durable, so is everything that was visible. Without it a crash of
   * the server can take back a commit that the log already has, and give its versions to other events.
   */
  async fence(): Promise<void> {
    this.#warning = false;
    await this.query(`select pg_logical_emit_message(true, 'centralita.relay', '')`, [], 'fence');
    // A warning here says that the commit is durable on this server only, and the standby may be promoted without it.
    if (this.#warning) throw new PlatformError('DATABASE_UNAVAILABLE', 'the fence of the relay is not replicated');
  }

  /** Moves heads that the log has acknowledged; returns those that moved. Heads that a writer holds stay. */
  published(sent: readonly Sent[], feeds: readonly string[]): Promise<{ tenant_id: string; topic: string; key: string }[]> {
    return this.query(
      `select * from relay_published($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::bigint[], $6::uuid[], $7::text[])`,
      [
        sent.map(({ tenantId }) => tenantId),
        sent.map(({ topic }) => topic),
        sent.map(({ key }) => key),
        sent.map(({ from }) => from),
        sent.map(({ to }) => to),
        sent.map(({ eventId }) => eventId),
        feeds,
      ],
      'published',
    );
  }

  /** With a name the server plans the statement once: those of every pass have one. */
  async query<Row extends object>(sql: string, parameters: readonly unknown[] = [], name?: string): Promise<Row[]> {
    try {
      return (await this.#client.query<Row>({ text: sql, values: [...parameters], ...(name !== undefined && { name }) })).rows;
    } catch (error) {
      throw databaseError(error);
    }
  }

  async close(): Promise<void> {
    this.#broken = true;
    // Already gone is as good as closed.
    await this.#client.end().catch(() => undefined);
  }
}
