import { decodeEvent, isType, PlatformError, type CloudEvent } from '@centralita/contracts';
import type { EventLog } from '@centralita/event-log';
import type { Database, Tx } from '@centralita/event-store';

const TOPIC = 'wa.outbound.v1';
const POLL_MS = 100;

/** What the log says of one send, all of its events taken together. */
type Fact = {
  readonly sendId: string;
  readonly replyId: string;
  readonly conversationId: string;
  readonly key: string;
  readonly phoneNumberId: string;
  readonly attempt: number;
  readonly attemptedAt: string;
  readonly state: 'unknown' | 'unresolved' | 'accepted' | 'refused';
  readonly kind: string | null;
  readonly messageRef: string | null;
};

/** From the least to the most that is known; rows and facts only move to the right. */
const STATES = ['waiting', 'claimed', 'attempted', 'unknown', 'unresolved', 'accepted', 'refused'] as const;
const rank = (state: (typeof STATES)[number]): number => STATES.indexOf(state);

/**
 * Brings the ledger up to what the log says, before the first call: after a restore the database may not know of calls that were made.
 * What was attempted is never called again. A row that a living process may be about to call is waited for, until that process
 * has called or its lease has ended. Returns the number of events that were read.
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
  const held: { tenantId: string; fact: Fact }[] = [];
  await log.read(
    ranges.filter(({ from, to }) => from < to),
    async (records) => {
      const tenants = new Map<string, CloudEvent[]>();
      for (const record of records) {
        const decoded = decodeEvent(record.value);
        if ('problem' in decoded)
          throw new PlatformError('RECORD_INVALID', 'wa.outbound.v1 holds a record that is no event of ours');
        const events = tenants.get(decoded.event.tenantid);
        if (events) events.push(decoded.event);
        else tenants.set(decoded.event.tenantid, [decoded.event]);
      }
      for (const [tenantId, events] of tenants)
        for (const fact of await learn(db, tenantId, factsOf(events))) held.push({ tenantId, fact });
      read += records.length;
    },
  );
  for (const { tenantId, fact } of held)
    while ((await learn(db, tenantId, [fact])).length > 0) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  await db.system((tx) =>
    tx.execute(
      `insert into ledger_position as p (partition, next_offset) select * from unnest($1::int[], $2::bigint[])
       on conflict (partition) do update set next_offset = greatest(p.next_offset, excluded.next_offset)`,
      [ranges.map(({ partition }) => partition), ranges.map(({ to }) => to.toString())],
    ),
  );
  return read;
};

const factOf = (event: CloudEvent): Fact | null => {
  const about = (data: Omit<Fact, 'key' | 'attemptedAt' | 'state' | 'kind' | 'messageRef'>) => ({
    sendId: data.sendId,
    replyId: data.replyId,
    conversationId: data.conversationId,
    phoneNumberId: data.phoneNumberId,
    attempt: data.attempt,
    key: event.subject,
    attemptedAt: event.time,
  });
  if (isType(event, 'whatsapp.reply.attempted.v1'))
    return { ...about(event.data), state: 'unknown', kind: event.data.kind, messageRef: null };
  if (isType(event, 'whatsapp.reply.accepted.v1'))
    return { ...about(event.data), state: 'accepted', kind: event.data.kind, messageRef: event.data.messageRef };
  if (isType(event, 'whatsapp.reply.refused.v1')) return { ...about(event.data), state: 'refused', kind: null, messageRef: null };
  if (isType(event, 'whatsapp.reply.unresolved.v1'))
    return { ...about(event.data), state: 'unresolved', kind: null, messageRef: null };
  return null;
};

/** One fact a send: one statement may not touch a row twice. */
const factsOf = (events: readonly CloudEvent[]): Fact[] => {
  const facts = new Map<string, Fact>();
  for (const event of events) {
    const fact = factOf(event);
    if (!fact) continue;
    const known = facts.get(fact.sendId) ?? fact;
    const further = rank(fact.state) > rank(known.state) ? fact : known;
    facts.set(fact.sendId, {
      ...further,
      kind: known.kind ?? fact.kind,
      messageRef: known.messageRef ?? fact.messageRef,
      attemptedAt: known.attemptedAt < fact.attemptedAt ? known.attemptedAt : fact.attemptedAt,
    });
  }
  return [...facts.values()];
};

/**
 * Puts facts into the ledger and gives back those that have to wait: their rows may still be called by whoever holds the lease. A
 * decision that is not announced counts as what was decided, so that none is forgotten.
 */
const learn = async (db: Database, tenantId: string, facts: readonly Fact[]): Promise<Fact[]> => {
  if (facts.length === 0) return [];
  return db.withTenant(tenantId, async (tx: Tx) => {
    await tx.execute(
      `insert into send as s
         (tenant_id, send_id, reply_id, conversation_id, key, phone_number_id, kind, state, attempt, attempted_at, message_ref)
       select $1, "sendId", "replyId", "conversationId", key, "phoneNumberId", kind, state, attempt, "attemptedAt", "messageRef"
       from jsonb_to_recordset($2::jsonb) as u("sendId" uuid, "replyId" uuid, "conversationId" uuid, key uuid, "phoneNumberId" text,
         kind text, state text, attempt int, "attemptedAt" timestamptz, "messageRef" text)
       order by "sendId"
       on conflict (tenant_id, send_id) do update
         set state = excluded.state, kind = coalesce(s.kind, excluded.kind), message_ref = coalesce(s.message_ref, excluded.message_ref),
             attempted_at = coalesce(s.attempted_at, excluded.attempted_at), outcome = null, lease_owner = null, lease_until = null
         where (s.lease_until is null or s.lease_until < now())
           and array_position($3::text[], coalesce(s.outcome ->> 'state', s.state))
             < array_position($3::text[], excluded.state) + (s.state = 'decided')::int`,
      [tenantId, JSON.stringify(facts), STATES],
    );
    const waiting = await tx.query<{ sendId: string }>(
      `select send_id as "sendId" from send where tenant_id = $1 and send_id = any($2::uuid[]) and state in ('waiting', 'claimed')`,
      [tenantId, facts.map(({ sendId }) => sendId)],
    );
    const ids = new Set(waiting.map(({ sendId }) => sendId));
    return facts.filter(({ sendId }) => ids.has(sendId));
  });
};
