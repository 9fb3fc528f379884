import type { Tx } from '@centralita/event-store';
import {
  evolveUsage,
  initialUsage,
  usageKey,
  type Evidence,
  type StatusFact,
  type Usage,
  type UsageState,
} from '@centralita/domain-billing';
import type { AccountBook } from '../accounts.js';

/** One change of a usage record: what it is now, for the how-manieth time, and the status that changed it. */
export type UsageChange = { readonly cause: StatusFact; readonly revision: number; readonly usage: Usage };

/** False of a message of which no row can be there. */
export type MayBeStored = (messageRef: string) => boolean;

/** Applies statuses, in the order of the log, to the usage tables. */
export const applyStatuses = async (
  tx: Tx,
  accounts: AccountBook,
  facts: readonly StatusFact[],
  mayBeStored: MayBeStored = () => true,
): Promise<UsageChange[]> => {
  if (facts.length === 0) return [];
  const asked = facts.filter(({ data }) => mayBeStored(data.messageRef));
  const before = asked.length === 0 ? new Map<string, UsageState>() : await load(tx, asked);
  const states = new Map(before);
  const changes: UsageChange[] = [];
  for (const fact of facts) {
    const key = usageKey(fact.data);
    const state = states.get(key) ?? initialUsage(fact);
    const next = evolveUsage(state, fact, accounts.find(tx.tenantId, state.wabaId)?.timeZone ?? null);
    states.set(key, next);
    if (next.revision > state.revision && next.usage) changes.push({ cause: fact, revision: next.revision, usage: next.usage });
  }
  await save(tx, before, states);
  return changes;
};

type UsageRow = {
  message_ref: string;
  participant: string;
  subject_key: string;
  waba_id: string;
  phone_number_id: string;
  market_country: string | null;
  market_prefix: string | null;
  revision: number;
  outcome: Usage | null;
};

const COLUMNS =
  'u.message_ref, u.participant, u.subject_key, u.waba_id, u.phone_number_id, u.market_country, u.market_prefix, u.revision, u.outcome';

const stateOf = (row: UsageRow, evidence: readonly Evidence[]): UsageState => ({
  messageRef: row.message_ref,
  participant: row.participant,
  chargeKind: 'message',
  subjectKey: row.subject_key,
  wabaId: row.waba_id,
  phoneNumberId: row.phone_number_id,
  marketHint: { country: row.market_country, prefix: row.market_prefix },
  revision: row.revision,
  usage: row.outcome,
  evidence,
});

/** Every row of the fold, without evidence: what its digest is taken over. */
export const readStates = async (tx: Tx): Promise<UsageState[]> =>
  (await tx.query<UsageRow>(`select ${COLUMNS} from usage u where u.tenant_id = $1`, [tx.tenantId])).map((row) =>
    stateOf(row, []),
  );

const load = async (tx: Tx, facts: readonly StatusFact[]): Promise<Map<string, UsageState>> => {
  const keys = [...new Map(facts.map(({ data }) => [usageKey(data), data])).values()];
  const parameters = [tx.tenantId, keys.map((key) => key.messageRef), keys.map((key) => key.participant)];
  const rows = await tx.query<UsageRow>(
    `select ${COLUMNS} from usage u join unnest($2::text[], $3::text[]) as k(message_ref, participant) using (message_ref, participant)
     where u.tenant_id = $1 and u.message_ref = any ($2) and u.charge_kind = 'message' order by u.message_ref, u.participant for update of u`,
    parameters,
  );
  const evidence = await tx.query<{
    message_ref: string;
    participant: string;
    event_id: string;
    status: string;
    provider_time: Date;
    recorded_time: Date;
    pricing: Evidence['pricing'];
  }>(
    `select e.message_ref, e.participant, e.event_id, e.status, e.provider_time, e.recorded_time, e.pricing
     from usage_evidence e join unnest($2::text[], $3::text[]) as k(message_ref, participant) using (message_ref, participant)
     where e.tenant_id = $1 and e.message_ref = any ($2) and e.charge_kind = 'message' order by e.message_ref, e.participant, e.place`,
    parameters,
  );
  const ofKey = new Map<string, Evidence[]>();
  for (const row of evidence) {
    const key = usageKey({ messageRef: row.message_ref, participant: row.participant });
    const one = {
      eventId: row.event_id,
      status: row.status,
      providerTime: row.provider_time.toISOString(),
      recordedTime: row.recorded_time.toISOString(),
      pricing: row.pricing,
    };
    ofKey.set(key, [...(ofKey.get(key) ?? []), one]);
  }
  return new Map(
    rows.map((row) => {
      const key = usageKey({ messageRef: row.message_ref, participant: row.participant });
      return [key, stateOf(row, ofKey.get(key) ?? [])];
    }),
  );
};

const save = async (tx: Tx, before: ReadonlyMap<string, UsageState>, after: ReadonlyMap<string, UsageState>): Promise<void> => {
  const changed = [...after]
    .filter(([key, state]) => before.get(key) !== state)
    .sort(([left], [right]) => (left < right ? -1 : 1));
  const states = changed.map(([, state]) => state);
  await tx.execute(
    `insert into usage (tenant_id, message_ref, participant, charge_kind, subject_key, waba_id, phone_number_id, market_country, market_prefix, month, revision, outcome)
     select $1, u.* from unnest($2::text[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::int[], $12::jsonb[]) u
     on conflict (tenant_id, message_ref, participant, charge_kind) do update
       set month = excluded.month, revision = excluded.revision, outcome = excluded.outcome`,
    [
      tx.tenantId,
      states.map((state) => state.messageRef),
      states.map((state) => state.participant),
      states.map((state) => state.chargeKind),
      states.map((state) => state.subjectKey),
      states.map((state) => state.wabaId),
      states.map((state) => state.phoneNumberId),
      states.map((state) => state.marketHint.country),
      states.map((state) => state.marketHint.prefix),
      states.map((state) => state.usage?.month ?? null),
      states.map((state) => state.revision),
      states.map((state) => (state.usage ? JSON.stringify(state.usage) : null)),
    ],
  );
  const added = changed.flatMap(([key, state]) => {
    const known = before.get(key)?.evidence.length ?? 0;
    return state.evidence.slice(known).map((evidence, index) => ({ state, evidence, place: known + index }));
  });
  await tx.execute(
    `insert into usage_evidence (tenant_id, message_ref, participant, charge_kind, event_id, place, status, provider_time, recorded_time, pricing)
     select $1, e.* from unnest($2::text[], $3::text[], $4::text[], $5::uuid[], $6::bigint[], $7::text[], $8::timestamptz[], $9::timestamptz[], $10::jsonb[]) e`,
    [
      tx.tenantId,
      added.map(({ state }) => state.messageRef),
      added.map(({ state }) => state.participant),
      added.map(({ state }) => state.chargeKind),
      added.map(({ evidence }) => evidence.eventId),
      added.map(({ place }) => place),
      added.map(({ evidence }) => evidence.status),
      added.map(({ evidence }) => evidence.providerTime),
      added.map(({ evidence }) => evidence.recordedTime),
      added.map(({ evidence }) => (evidence.pricing ? JSON.stringify(evidence.pricing) : null)),
    ],
  );
};
