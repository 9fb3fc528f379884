import type { AccessRecord } from '@centralita/contracts';
import { toBigInt, type Tx } from '@centralita/event-store';
import { loadFacts } from '../facts/load.js';
import { isVerifiable, verifyReason } from '../facts/reason.js';
import type { Completeness } from './completeness.js';
import { LeafBuilder, type DueRecord } from './leaves.js';

/** Records that one pass looks at, shared by the lanes that have any; a lane that has more goes on in the next pass. */
const RECORDS_PER_PASS = 1_000;
const LEAST_PER_LANE = 8;
/** Leaves of one transaction, unless a single list has more; their order is sorted in the database's working memory. */
const LEAVES_PER_PASS = 1_000;

type IntakeRow = {
  lane: string;
  number: string;
  kind: 'record' | 'erasure';
  event_id: string;
  record: AccessRecord;
  traceparent: string | null;
  received_at: Date;
  age_ms: number;
};

export type CompletenessAt = (received: { at: Date; ageMs: number }) => Completeness;

/**
 * The next records of all lanes, in the order of their numbers within a lane and of their arrival between lanes. A record whose
 * reason the known facts do not confirm holds its lane back until the events of routing up to its time are here: an assignment and
 * the read that it allows travel on different topics.
 */
export const dueRecords = async (
  tx: Tx,
  completenessAt: CompletenessAt,
  parked: ReadonlySet<string>,
): Promise<{ due: DueRecord[]; more: boolean }> => {
  const rows = await tx.query<IntakeRow>(
    // Lanes are found one after the other by index: counting them would read all that waits.
    `with recursive lanes (lane) as (
       (select lane from intake where tenant_id = $1 order by lane limit 1)
       union all
       select next.lane from lanes l
       cross join lateral (select lane from intake where tenant_id = $1 and lane > l.lane order by lane limit 1) next
     )
     select i.lane, i.number, i.kind, i.event_id, i.record, i.traceparent, i.received_at,
            extract(epoch from clock_timestamp() - i.received_at)::float8 * 1000 as age_ms
     from lanes l
     cross join lateral (select * from intake where tenant_id = $1 and lane = l.lane order by number
                         limit (select greatest($2, $3 / count(*)) from lanes)) i
     order by i.lane, i.number`,
    [tx.tenantId, LEAST_PER_LANE, RECORDS_PER_PASS],
  );
  const facts = await loadFacts(
    tx,
    rows.map(({ record }) => record),
    parked,
  );
  const held = new Set<string>();
  const due: DueRecord[] = [];
  let leaves = 0;
  for (const row of inOrderOfArrival(rows)) {
    const { lane, kind, event_id: eventId, record, traceparent } = row;
    if (held.has(lane)) continue;
    const completeness = completenessAt({ at: row.received_at, ageMs: row.age_ms });
    const verdict = verifyReason(record, facts, completeness === 'complete');
    if (verdict.verified !== 'confirmed' && isVerifiable(record) && completeness === 'awaited') {
      held.add(lane);
      continue;
    }
    leaves += LeafBuilder.width(record);
    if (leaves > LEAVES_PER_PASS && due.length > 0) return { due, more: true };
    due.push({ lane, number: toBigInt(row.number), kind, eventId, record, verdict, traceparent });
  }
  return { due, more: due.length > 0 && rows.length >= LEAST_PER_LANE };
};

/** By arrival between lanes. Within a lane by number: the clock of the database may step back, the numbers of a lane do not. */
const inOrderOfArrival = (rows: readonly IntakeRow[]): IntakeRow[] => {
  const latest = new Map<string, number>();
  return rows
    .map((row) => {
      const order = Math.max(latest.get(row.lane) ?? 0, row.received_at.getTime());
      latest.set(row.lane, order);
      return { row, order };
    })
    .sort((a, b) => a.order - b.order)
    .map(({ row }) => row);
};
