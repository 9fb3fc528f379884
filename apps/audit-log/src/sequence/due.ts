import type { AccessRecord } from '@centralita/contracts';
import { toBigInt, type Tx } from '@centralita/event-store';
import { loadFacts } from '../facts/load.js';
import { isVerifiable, verifyReason } from '../facts/reason.js';
import { LeafBuilder, type DueRecord } from './leaves.js';

/** Records of one lane that one pass looks at; a lane that has more goes on in the next pass, behind the others. */
const PER_LANE = 64;
/** Leaves of one transaction, unless a single list has more. */
const LEAVES_PER_PASS = 1_000;

type IntakeRow = {
  lane: string;
  number: string;
  kind: 'record' | 'erasure';
  event_id: string;
  record: AccessRecord;
  received_at: Date;
  age_ms: number;
};

/** Whether a record that came in so long ago must wait for facts that are still on their way. */
export type MustWait = (received: { at: Date; ageMs: number }) => boolean;

/**
 * The next records of all lanes, in the order of their numbers within a lane and of their arrival between lanes. A record whose
 * reason the known facts do not confirm holds its lane back until the events of routing up to its time are here: an assignment and
 * the read that it allows travel on different topics.
 */
export const dueRecords = async (tx: Tx, mustWait: MustWait): Promise<{ due: DueRecord[]; more: boolean }> => {
  const rows = await tx.query<IntakeRow>(
    `select i.lane, i.number, i.kind, i.event_id, i.record, i.received_at,
            extract(epoch from clock_timestamp() - i.received_at)::float8 * 1000 as age_ms
     from (select distinct lane from intake where tenant_id = $1) l
     cross join lateral (select * from intake where tenant_id = $1 and lane = l.lane order by number limit ${PER_LANE}) i
     order by i.lane, i.number`,
    [tx.tenantId],
  );
  const facts = await loadFacts(
    tx,
    rows.map(({ record }) => record),
  );
  const ready: { row: IntakeRow; due: DueRecord; order: number }[] = [];
  const held = new Set<string>();
  let order = 0;
  let lane = '';
  for (const row of rows) {
    if (row.lane !== lane) [lane, order] = [row.lane, 0];
    const verdict = verifyReason(row.record, facts);
    if (verdict.verified !== 'confirmed' && isVerifiable(row.record) && mustWait({ at: row.received_at, ageMs: row.age_ms }))
      held.add(lane);
    if (held.has(lane)) continue;
    // The clock of the database may step back; the numbers of a lane do not.
    order = Math.max(order, row.received_at.getTime());
    const { kind, event_id: eventId, record } = row;
    ready.push({ row, order, due: { lane, number: toBigInt(row.number), kind, eventId, record, verdict } });
  }
  ready.sort((a, b) => a.order - b.order);
  let leaves = 0;
  const end = ready.findIndex(({ due }, position) => (leaves += LeafBuilder.width(due.record)) > LEAVES_PER_PASS && position > 0);
  const due = (end < 0 ? ready : ready.slice(0, end)).map((each) => each.due);
  return { due, more: due.length < ready.length || rows.length >= PER_LANE };
};
