import { decodeEvent, isType, PlatformError, type CloudEvent } from '@centralita/contracts';
import type { EventLog } from '@centralita/event-log';
import type { Database, Tx } from '@centralita/event-store';

const TOPIC = 'wa.outbound.v1';

/**
 * Brings the ledger up to what the log says, before the first call: after a restore the database may not know of calls that were made.
 * What was attempted is never called again. Rows that a living process holds are left to it. Returns the number of events that
 * were read.
 */
export const rebuildLedger = async (db: Database, log: Pick<EventLog, 'admin' | 'read'>): Promise<number> => {
  const stored = await db.system((tx) =>
    tx.query<{ partition: number; next: string }>('select partition, next_offset as next from ledger_position'),
  );
  const positions = new Map(stored.map(({ partition, next }) => [partition, BigInt(next)]));
  const [ends, beginnings] = await Promise.all([log.admin.endOffsets(TOPIC), log.admin.beginningOffsets(TOPIC)]);
  const ranges = [...ends].map(([partition, to]) => ({
    topic: TOPIC,
    partition,
    from: positions.get(partition) ?? beginnings.get(partition) ?? 0n,
    to,
  }));
  const lost = ranges.filter(({ from, to }) => from > to);
  if (lost.length > 0)
    throw new PlatformError('LOG_BEHIND_STORE', 'the ledger knows more of wa.outbound.v1 than the log has', {
      partitions: lost.map(({ partition }) => partition),
    });
  let read = 0;
  await log.read(
    ranges.filter(({ from, to }) => from < to),
    async (records) => {
      const byTenant = new Map<string, CloudEvent[]>();
      for (const record of records) {
        const decoded = decodeEvent(record.value);
        if ('problem' in decoded)
          throw new PlatformError('RECORD_INVALID', 'wa.outbound.v1 holds a record that is no event of ours');
        byTenant.set(decoded.event.tenantid, [...(byTenant.get(decoded.event.tenantid) ?? []), decoded.event]);
        read += 1;
      }
      for (const [tenantId, events] of byTenant)
        await db.withTenant(tenantId, async (tx) => {
          for (const event of events) await apply(tx, event);
        });
    },
  );
  await db.system((tx) =>
    tx.execute(
      `insert into ledger_position as p (partition, next_offset) select * from unnest($1::int[], $2::bigint[])
       on conflict (partition) do update set next_offset = greatest(p.next_offset, excluded.next_offset)`,
      [ranges.map(({ partition }) => partition), ranges.map(({ to }) => to.toString())],
    ),
  );
  return read;
};

type Known = {
  readonly state: 'unknown' | 'accepted' | 'refused' | 'unresolved';
  readonly kind: string | null;
  readonly messageRef: string | null;
};

const known = (event: CloudEvent): Known | null => {
  if (isType(event, 'whatsapp.reply.attempted.v1')) return { state: 'unknown', kind: event.data.kind, messageRef: null };
  if (isType(event, 'whatsapp.reply.accepted.v1'))
    return { state: 'accepted', kind: event.data.kind, messageRef: event.data.messageRef };
  if (isType(event, 'whatsapp.reply.refused.v1')) return { state: 'refused', kind: null, messageRef: null };
  if (isType(event, 'whatsapp.reply.unresolved.v1')) return { state: 'unresolved', kind: null, messageRef: null };
  return null;
};

/** States only move forward here; a live lease means that the holder knows better. */
const apply = async (tx: Tx, event: CloudEvent): Promise<void> => {
  const fact = known(event);
  if (!fact) return;
  const data = event.data as { sendId: string; replyId: string; conversationId: string; phoneNumberId: string; attempt: number };
  await tx.execute(
    `insert into send as s
       (tenant_id, send_id, reply_id, conversation_id, key, phone_number_id, kind, state, attempt, attempted_at, message_ref)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
     on conflict (tenant_id, send_id) do update
       set state = excluded.state, kind = coalesce(s.kind, excluded.kind), message_ref = coalesce(s.message_ref, excluded.message_ref),
           attempted_at = coalesce(s.attempted_at, excluded.attempted_at), lease_owner = null, lease_until = null
       where (s.lease_until is null or s.lease_until < now())
         and array_position(array['waiting', 'claimed', 'attempted', 'unknown', 'decided', 'unresolved', 'accepted', 'refused'], s.state)
           < array_position(array['waiting', 'claimed', 'attempted', 'unknown', 'decided', 'unresolved', 'accepted', 'refused'], excluded.state)`,
    [
      tx.tenantId,
      data.sendId,
      data.replyId,
      data.conversationId,
      event.subject,
      data.phoneNumberId,
      fact.kind,
      fact.state,
      data.attempt,
      event.time,
      fact.messageRef,
    ],
  );
};
