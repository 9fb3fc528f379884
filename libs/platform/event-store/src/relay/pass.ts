import { eventRecord, type LogRecord } from '@centralita/event-log';
import { cloudEventOf } from '../event-data.js';
import { toBigInt } from '../types.js';
import type { HeadRow, ReadRow, Sent } from './relay-session.js';

export const headKey = (head: { tenantId: string; topic: string; key: string }): string =>
  `${head.tenantId}/${head.topic}/${head.key}`;

/** One head of a pass: what goes to the log now, and what to call published once it is there. */
export type HeadPlan = {
  readonly id: string;
  readonly bucket: number;
  readonly dirtySince: Date;
  readonly records: readonly LogRecord[];
  readonly mark: Sent;
};
export type Plan = {
  readonly heads: readonly HeadPlan[];
  /** Dirty heads whose next event is not there: an alarm, and never sent around. */
  readonly holes: readonly { readonly topic: string; readonly key: string }[];
  /** Heads of which another event was sent under a version than the one that is there now: the database is behind the log. */
  readonly reused: readonly { readonly topic: string; readonly key: string }[];
  /** Recording time of the oldest event that is sent. */
  readonly oldest: Date | null;
};

const recordOf = (row: HeadRow): LogRecord => {
  // Checked when it was appended. A later release of the catalogue must not be able to hold it back.
  const value = Buffer.from(JSON.stringify(cloudEventOf(row)), 'utf8');
  const { traceparent } = row.meta;
  return eventRecord({ topic: row.topic, key: row.key, value, ...(traceparent === undefined ? {} : { traceparent }) });
};

const isEvent = (row: ReadRow): row is HeadRow => row.event_id !== null;

/**
 * Turns the rows of a read into what to send. `remembered` holds heads that were sent while a writer held their lock: their
 * events are not sent again, only marked again. `blocked` heads are left alone.
 */
export const planPass = (rows: readonly ReadRow[], remembered: ReadonlyMap<string, Sent>, blocked: ReadonlySet<string>): Plan => {
  const groups = new Map<string, ReadRow[]>();
  for (const row of rows) {
    const id = headKey({ tenantId: row.tenant_id, topic: row.topic, key: row.key });
    if (blocked.has(id)) continue;
    const group = groups.get(id);
    if (group) group.push(row);
    else groups.set(id, [row]);
  }
  const [heads, holes, reused]: [HeadPlan[], { topic: string; key: string }[], { topic: string; key: string }[]] = [[], [], []];
  let oldest: Date | null = null;
  for (const [id, group] of groups) {
    const first = group[0] as ReadRow;
    const from = toBigInt(first.published_version);
    const events = group.filter(isEvent);
    const gapless = events.length > 0 && events.every((row, index) => toBigInt(row.key_version) === from + BigInt(index + 1));
    if (!gapless) {
      holes.push({ topic: first.topic, key: first.key });
      continue;
    }
    const before = remembered.get(id);
    const there = events.find((row) => before !== undefined && toBigInt(row.key_version) === before.to);
    if (there !== undefined && there.event_id !== before?.eventId) {
      reused.push({ topic: first.topic, key: first.key });
      continue;
    }
    const sentTo = before === undefined || before.from !== from ? from : before.to;
    const unsent = events.filter((row) => toBigInt(row.key_version) > sentTo);
    const last = events.at(-1) as HeadRow;
    for (const { recorded_at } of unsent) if (oldest === null || recorded_at < oldest) oldest = recorded_at;
    const to = toBigInt(last.key_version);
    heads.push({
      id,
      bucket: first.bucket,
      dirtySince: first.dirty_since,
      records: unsent.map(recordOf),
      // A remembered run may be longer than what this read was allowed to see.
      mark:
        before !== undefined && sentTo > to
          ? before
          : { tenantId: first.tenant_id, topic: first.topic, key: first.key, from, to, eventId: last.event_id },
    });
  }
  return { heads, holes, reused, oldest };
};
