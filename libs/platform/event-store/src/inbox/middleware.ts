import { isPlatformError, PlatformError, type Service } from '@centralita/contracts';
import type { BatchMiddleware, EventLog, RecordBatch, StoredRecord, TopicHandler } from '@centralita/event-log';
import { setTenant, type Database } from '../database.js';
import type { EventStore } from '../event-store.js';
import type { StoreLogger, SystemTx, Tx } from '../types.js';
import { CauseWait } from './causes.js';
import { purgeInbox, takeFresh, unreadableWasSkipped } from './duplicates.js';
import { byTenant, readIncoming, type Incoming, type Readable, type UpcasterOf } from './incoming.js';
import { appendOperations, lockGroup, parkedKeys, parkedOperation, storeParked, type Parking } from './parking.js';
import { permanentCode } from './actions.js';
import { takeAll } from './take-all.js';
import { advancePosition, continuePosition, identityOf, type LogIdentity } from './positions.js';

/** Plain callbacks; labels are closed sets of names. */
export type InboxMetrics = {
  /** After each commit. `skipped` = duplicates, ignored types and records of parked keys. */
  applied?(sample: { groupId: string; topic: string; events: number; skipped: number; seconds: number }): void;
  parked?(sample: { groupId: string; topic: string; code: string }): void;
  /** The partition stops: log and store disagree. */
  alarm?(sample: { groupId: string; topic: string; code: string }): void;
};

export type InboxOptions = {
  readonly db: Database;
  readonly groupId: string;
  /** Where `record.parked` is appended. */
  readonly store: EventStore;
  readonly log: EventLog;
  readonly service: Service;
  readonly logger?: StoreLogger;
  readonly metrics?: InboxMetrics;
  readonly upcast?: UpcasterOf;
  /** How long an event waits for its cause while the cause's partition stands still; then its key is parked. @default 30000 */
  readonly causePatienceMs?: number;
};

const MAX_CONFLICT_RETRIES = 3;
const PURGE_EVERY_MS = 3_600_000;
const PURGE_AT_ONCE = 5_000;

/** Left the fast path: a record must be parked, so the batch goes one by one. */
class NeedsCare extends Error {}
/** Not every record is new and free to be applied: they must be told apart. */
class NotAllFresh extends Error {}

type Run = {
  readonly batch: RecordBatch;
  readonly handler: TopicHandler;
  readonly incoming: readonly Incoming[];
  readonly identity: LogIdentity;
};

/** What a transaction did; `waiting` is the record that made it stop early. */
type Outcome = {
  readonly events: number;
  readonly skipped: number;
  readonly parked: readonly Parking[];
  readonly waiting: Incoming | null;
};

const nothing: Outcome = { events: 0, skipped: 0, parked: [], waiting: null };

export const applyEvents = async (
  tx: SystemTx,
  tenantId: string,
  items: readonly Readable[],
  handler: TopicHandler,
): Promise<number> => {
  const events = items.filter(({ kind }) => kind === 'event').map(({ consumed }) => consumed);
  const [first] = events;
  if (first === undefined) return 0;
  const own: Tx = { ...tx, tenantId };
  await handler.handle({ tenantId, topic: first.topic, partition: first.partition, events, tx: own });
  return events.length;
};

/**
 * Exactly-once effect for one consumer group. One transaction per batch:
 *
 * 1. lock the partition's position; the batch must continue it, on the same log (else the partition stops)
 * 2. take the group's parking lock in shared mode; records of parked keys are stored behind them
 * 3. per tenant: set the tenant, drop duplicates, call the handler once; at first as {@link Inbox.hopeful} has it
 * 4. move the position, commit
 *
 * A crash before 4 leaves nothing behind, and the batch comes again. Deadlocks run the whole batch again. An error that one record
 * will always meet sends the batch through {@link Inbox.careful}: one by one with savepoints, parking the key of the record alone.
 * Errors that pass go to the transport, which backs off and delivers from the stored position.
 */
class Inbox {
  readonly #options: InboxOptions;
  readonly #identity: (topic: string) => Promise<LogIdentity>;
  readonly #causes: CauseWait;
  readonly #purged = new Map<string, number>();

  constructor(options: InboxOptions) {
    this.#options = options;
    this.#identity = identityOf(options.log);
    this.#causes = new CauseWait(options.groupId, options.causePatienceMs ?? 30_000);
  }

  async run(batch: RecordBatch, handler: TopicHandler): Promise<void> {
    const { groupId, logger, metrics } = this.#options;
    const started = performance.now();
    try {
      const identity = await this.#identity(batch.topic);
      const incoming = batch.records.map((record) => readIncoming(record, handler.ignored, this.#options.upcast));
      const outcome = await this.#apply({ batch, handler, incoming, identity });
      metrics?.applied?.({
        groupId,
        topic: batch.topic,
        events: outcome.events,
        skipped: outcome.skipped,
        seconds: (performance.now() - started) / 1_000,
      });
      for (const { incoming: item, code } of outcome.parked) {
        if (code === null) continue;
        const { topic, partition, offset } = item.record;
        logger?.error({ groupId, topic, partition, offset: offset.toString(), eventId: item.eventId, code }, 'record parked');
        metrics?.parked?.({ groupId, topic, code });
      }
      await this.#purge(incoming);
      if (outcome.waiting !== null) throw this.#causes.notSeen(outcome.waiting);
    } catch (error) {
      if (!isPlatformError(error) && permanentCode(error) === null)
        // The transport backs off for errors that say that they pass; any other would end the process.
        throw new PlatformError(
          'UPSTREAM_UNAVAILABLE',
          'a handler could not reach what it needs',
          { groupId, topic: batch.topic },
          { cause: error },
        );
      if (isPlatformError(error) && !error.retryable) {
        logger?.error(
          { groupId, topic: batch.topic, partition: batch.partition, code: error.code, ...error.details },
          'partition stopped',
        );
        metrics?.alarm?.({ groupId, topic: batch.topic, code: error.code });
      }
      throw error;
    }
  }

  async #apply(run: Run): Promise<Outcome> {
    const { db } = this.#options;
    let hopeful = true;
    for (let conflicts = 0; run.incoming.every(({ kind }) => kind !== 'poison');) {
      try {
        return await db.system((tx) => (hopeful ? this.#hopeful(tx, run) : this.#fast(tx, run)));
      } catch (error) {
        if (error instanceof NotAllFresh) {
          hopeful = false;
          continue;
        }
        if (error instanceof NeedsCare) break;
        // Somebody else wrote the stream between load and append: load again.
        if (isPlatformError(error, 'VERSION_CONFLICT') && ++conflicts <= MAX_CONFLICT_RETRIES) continue;
        if (permanentCode(error) === null) throw error;
        break;
      }
    }
    return db.system((tx) => this.#careful(tx, run));
  }

  /** Steps 1 and 2; the records to apply, and the one that has to wait for its cause, if there is one. */
  async #begin(
    tx: SystemTx,
    { batch, incoming, identity }: Run,
    mode: 'shared' | 'alone',
  ): Promise<{ due: Incoming[]; last: StoredRecord | undefined; waiting: Incoming | null }> {
    const { groupId, log } = this.#options;
    // All are made at once, and come to the database in this order.
    const [records, , allReady] = await Promise.all([
      continuePosition(tx, groupId, batch, identity, log),
      lockGroup(tx, groupId, mode),
      this.#causes.ready(tx, incoming),
    ]);
    const next = incoming.slice(incoming.length - records.length);
    const ready = next.length === incoming.length ? allReady : await this.#causes.ready(tx, next);
    const due = next.slice(0, ready);
    return { due, last: due.at(-1)?.record, waiting: next[ready] ?? null };
  }

  async #parked(tx: SystemTx, due: readonly Incoming[]): Promise<Set<string>> {
    if (due.length === 0) return new Set();
    return parkedKeys(
      tx,
      this.#options.groupId,
      due.map(({ key }) => key),
    );
  }

  /**
   * As if every record came next, were new and free to be applied, which is nearly always so: everything is asked and written without
   * waiting for an answer in between. NotAllFresh where it is not so.
   */
  async #hopeful(tx: SystemTx, run: Run): Promise<Outcome> {
    const { groupId } = this.#options;
    const tenants = byTenant(run.incoming.filter((item): item is Readable => item.kind !== 'poison'));
    const [{ due, last }, ...taken] = await Promise.all([
      this.#begin(tx, run, 'shared'),
      ...tenants.map(async ([tenantId, items]) => {
        setTenant(tx, tenantId);
        return takeAll(tx, { tenantId, groupId, topic: run.batch.topic }, items);
      }),
    ]);
    const free = due.length === run.incoming.length && !due.some((item) => this.#causes.gaveUp(item));
    if (last === undefined || !free || taken.includes(false)) throw new NotAllFresh();
    let events = 0;
    for (const [tenantId, items] of tenants) {
      if (tenants.length > 1) setTenant(tx, tenantId);
      events += await applyEvents(tx, tenantId, items, run.handler);
    }
    advancePosition(tx, groupId, last, run.identity);
    return { events, skipped: due.length - events, parked: [], waiting: null };
  }

  /** Step by step, as long as no record has to be parked: then NeedsCare. */
  async #fast(tx: SystemTx, run: Run): Promise<Outcome> {
    const { groupId } = this.#options;
    const { due, last, waiting } = await this.#begin(tx, run, 'shared');
    if (last === undefined) return { ...nothing, waiting };
    const parked = await this.#parked(tx, due);
    const held = due.filter(({ key }) => parked.has(key)).map((incoming): Parking => ({ incoming, code: null }));
    if (due.some((item) => this.#causes.gaveUp(item) && !parked.has(item.key))) throw new NeedsCare();
    const readable = due.filter((item): item is Readable => item.kind !== 'poison' && !parked.has(item.key));
    let events = 0;
    for (const [tenantId, items] of byTenant(readable)) {
      setTenant(tx, tenantId);
      const fresh = await takeFresh(tx, { tenantId, groupId, topic: run.batch.topic }, items);
      if (fresh.gaps.length > 0) throw new NeedsCare();
      events += await applyEvents(tx, tenantId, fresh.events, run.handler);
    }
    if (held.length > 0) await storeParked(tx, groupId, held);
    advancePosition(tx, groupId, last, run.identity);
    return { events, skipped: due.length - events, parked: [], waiting };
  }

  /** One by one under the group's lock alone, each in a savepoint, so that only the poison is undone. */
  async #careful(tx: SystemTx, run: Run): Promise<Outcome> {
    const { groupId, store } = this.#options;
    const { due, last, waiting } = await this.#begin(tx, run, 'alone');
    if (last === undefined) return { ...nothing, waiting };
    const parked = await this.#parked(tx, due);
    const parkings: Parking[] = [];
    let events = 0;
    for (const [index, incoming] of due.entries()) {
      if (index % 50 === 49) await run.batch.heartbeat();
      if (parked.has(incoming.key)) {
        parkings.push({ incoming, code: null });
        continue;
      }
      const result = this.#causes.gaveUp(incoming) ? 'CAUSE_MISSING' : await applyOne(tx, groupId, incoming, run.handler);
      if (typeof result === 'number') {
        events += result;
      } else {
        parked.add(incoming.key);
        parkings.push({ incoming, code: result });
      }
    }
    await storeParked(tx, groupId, parkings);
    await appendOperations(
      tx,
      store,
      parkings.flatMap((parking) => parkedOperation(groupId, parking)),
    );
    advancePosition(tx, groupId, last, run.identity);
    return { events, skipped: due.length - events, parked: parkings, waiting };
  }

  /**
   * Old ids, for the tenants that are served anyway: row-level security shows no others. What one purge leaves, the next batch takes, so
   * that more goes than comes.
   */
  async #purge(incoming: readonly Incoming[]): Promise<void> {
    const { db, groupId, logger } = this.#options;
    const now = performance.now();
    for (const tenantId of new Set(incoming.map((item) => item.tenantId))) {
      if (now - (this.#purged.get(tenantId) ?? -Infinity) < PURGE_EVERY_MS) continue;
      this.#purged.set(tenantId, now);
      try {
        const removed = await db.withTenant(tenantId, (tx) => purgeInbox(tx, tenantId, groupId, PURGE_AT_ONCE));
        if (removed === PURGE_AT_ONCE) this.#purged.delete(tenantId);
      } catch (error) {
        // The batch is applied: what could not be tidied up is no reason to deliver it again.
        logger?.warn({ groupId, code: isPlatformError(error) ? error.code : 'INTERNAL' }, 'old ids were not removed');
      }
    }
  }
}

/** Number of events applied (0 for a duplicate), or the code that parks the record. Errors that pass are thrown. */
export const applyOne = async (
  tx: SystemTx,
  groupId: string,
  incoming: Incoming,
  handler: TopicHandler,
  options: { acceptGaps?: boolean } = {},
): Promise<number | string> => {
  if (incoming.kind === 'poison') return incoming.code;
  const { tenantId, record } = incoming;
  for (let conflicts = 0; ; conflicts += 1) {
    await tx.query('savepoint one_record');
    try {
      setTenant(tx, tenantId);
      const group = { tenantId, groupId, topic: record.topic };
      let fresh = await takeFresh(tx, group, [incoming], options);
      if (fresh.gaps.length > 0 && (await unreadableWasSkipped(tx, groupId, record.topic, incoming.key))) {
        setTenant(tx, tenantId);
        fresh = await takeFresh(tx, group, [incoming], { acceptGaps: true });
      }
      const applied = fresh.gaps.length > 0 ? 'CAUSE_MISSING' : await applyEvents(tx, tenantId, fresh.events, handler);
      await tx.query('release savepoint one_record');
      return applied;
    } catch (error) {
      const code = permanentCode(error);
      if (code === null) throw error;
      await tx.query('rollback to savepoint one_record');
      await tx.query('release savepoint one_record');
      if (code !== 'VERSION_CONFLICT' || conflicts >= MAX_CONFLICT_RETRIES) return code;
    }
  }
};

/** The middleware of {@link Inbox} for the batch transport. One per consumer group and process. */
export const inboxMiddleware = (options: InboxOptions): BatchMiddleware => {
  const inbox = new Inbox(options);
  return (batch, handle, ignored) => inbox.run(batch, { handle, ignored });
};
