// Batches of several partitions of one topic in one transaction, where nothing stands against it.
import type { EventLog, RecordBatch, RecordTraces, TopicHandler } from '@centralita/event-log';
import { setTenant } from '../database.js';
import type { SystemTx, Tx } from '../types.js';
import type { CauseWait } from './causes.js';
import { byTenant, type Incoming, type Readable } from './incoming.js';
import { lockGroup } from './parking.js';
import { advancePositions, continuePositions, type LogIdentity } from './positions.js';
import { takeAll } from './take-all.js';

/** A batch on its way into the database. */
export type Run = {
  readonly batch: RecordBatch;
  readonly handler: TopicHandler;
  readonly incoming: readonly Incoming[];
  readonly identity: LogIdentity;
  readonly traces: RecordTraces;
  /** Runs work where the batch came from: with its span, its part of the log lines. */
  readonly inContext: <T>(work: () => T) => T;
};

/** Most records of one transaction that takes several batches. */
const MOST_RECORDS = 1_000;

/** Cuts runs of one topic into groups: each partition once in a group, of one log, and no more records than one transaction should have. */
export const groupsOf = (runs: readonly Run[]): Run[][] => {
  const groups: Run[][] = [];
  let records = 0;
  for (const run of runs) {
    const group = groups.at(-1);
    const fits =
      group !== undefined &&
      records + run.incoming.length <= MOST_RECORDS &&
      group.every(
        ({ batch, identity, handler }) =>
          batch.partition !== run.batch.partition &&
          identity.topicId === run.identity.topicId &&
          identity.clusterId === run.identity.clusterId &&
          handler.ignored === run.handler.ignored,
      );
    if (fits) group.push(run);
    else groups.push([run]);
    records = (fits ? records : 0) + run.incoming.length;
  }
  return groups;
};

export type TogetherOptions = { readonly groupId: string; readonly log: EventLog; readonly causes: CauseWait };

/**
 * Applies all or, where it gives null, nothing may be committed: a record that was seen before, of a parked key, that nobody can read or whose
 * cause is missing is a matter of its own batch alone. The same steps in the same order as for one batch, each made once for all: positions
 * locked in their order, the group's lock, duplicates, one call of the handler for each tenant, positions. Gives the number of events of
 * each run.
 */
export const applyTogether = async (
  tx: SystemTx,
  runs: readonly Run[],
  { groupId, log, causes }: TogetherOptions,
): Promise<readonly { events: number; skipped: number }[] | null> => {
  const [first] = runs;
  if (first === undefined) return [];
  const { identity, handler } = first;
  const { topic } = first.batch;
  const batches = runs.map(({ batch }) => batch);
  const next = await continuePositions(tx, groupId, batches, identity, log);
  if (next === null) return null;
  await lockGroup(tx, groupId, 'shared');
  const due = runs.map(({ incoming }, index) => {
    const records = new Set(next[index]);
    return incoming.filter(({ record }) => records.has(record));
  });
  const all = due.flat();
  const readable = all.filter((item): item is Readable => item.kind !== 'poison');
  if (readable.length < all.length || !(await causes.allReady(tx, all))) return null;
  for (const [tenantId, items] of byTenant(readable)) {
    await setTenant(tx, tenantId);
    if (!(await takeAll(tx, { tenantId, groupId, topic }, items))) return null;
    await applyEvents(tx, tenantId, items, handler);
  }
  const last = due.flatMap((items) => items.at(-1)?.record ?? []);
  if (last.length > 0) await advancePositions(tx, groupId, last, identity);
  return due.map((items) => {
    const events = items.filter(({ kind }) => kind === 'event').length;
    return { events, skipped: items.length - events };
  });
};

/** Calls the handler for what it needs of these records of one tenant, whose id is set. Gives the number of events. */
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
