import type { EventData, MarketHint } from '@centralita/contracts';
import { foldUsage, sameUsage, type Evidence, type Usage } from '@centralita/domain-billing';
import type { Tx } from '@centralita/event-store';
import type { AccountBook } from '../accounts.js';

/** A status of the log, as the fold needs it. */
export type StatusFact = {
  readonly eventId: string;
  readonly key: string;
  readonly recordedTime: string;
  readonly data: EventData<'whatsapp.status.changed.v1'>;
};

/** One change of a usage record: what it is now, and for the how-manieth time. */
export type UsageChange = { readonly subjectKey: string; readonly revision: number; readonly usage: Usage };

type State = {
  key: string;
  data: StatusFact['data'];
  revision: number;
  outcome: Usage | null;
  evidence: Map<string, Evidence>;
  added: string[];
};

const idOf = (data: { messageRef: string; participant: string }): string => `${data.messageRef}/${data.participant}`;

/**
 * Applies statuses to the usage tables. Evidence is taken one by one in the order of the log, so that the revisions do not depend on how
 * the log was cut into batches: a replay reaches the same rows.
 */
export const applyStatuses = async (tx: Tx, accounts: AccountBook, facts: readonly StatusFact[]): Promise<UsageChange[]> => {
  const states = await load(tx, facts);
  const changes: UsageChange[] = [];
  for (const fact of facts) {
    const state = states.get(idOf(fact.data));
    if (!state || state.evidence.has(fact.eventId)) continue;
    state.evidence.set(fact.eventId, {
      eventId: fact.eventId,
      status: fact.data.status,
      providerTime: fact.data.providerTime,
      recordedTime: fact.recordedTime,
      pricing: fact.data.pricing,
    });
    state.added.push(fact.eventId);
    const outcome = foldUsage(
      {
        messageRef: state.data.messageRef,
        participant: state.data.participant,
        chargeKind: 'message',
        wabaId: state.data.wabaId,
        phoneNumberId: state.data.phoneNumberId,
        marketHint: state.data.marketHint,
        evidence: [...state.evidence.values()],
      },
      accounts.find(tx.tenantId, state.data.wabaId)?.timeZone ?? null,
    );
    if (!outcome || (state.outcome && sameUsage(state.outcome, outcome))) continue;
    state.outcome = outcome;
    state.revision += 1;
    changes.push({ subjectKey: state.key, revision: state.revision, usage: outcome });
  }
  await save(tx, [...states.values()]);
  return changes;
};

const load = async (tx: Tx, facts: readonly StatusFact[]): Promise<Map<string, State>> => {
  const states = new Map<string, State>();
  for (const { key, data } of facts)
    if (!states.has(idOf(data)))
      states.set(idOf(data), { key, data, revision: 0, outcome: null, evidence: new Map(), added: [] });
  const keys = [
    [...states.values()].map(({ data }) => data.messageRef),
    [...states.values()].map(({ data }) => data.participant),
  ];
  const known = await tx.query<UsageRow>(
    `select u.message_ref, u.participant, u.subject_key, u.waba_id, u.phone_number_id, u.market_country, u.market_prefix, u.revision, u.outcome
     from usage u join unnest($2::text[], $3::text[]) as k(message_ref, participant) using (message_ref, participant)
     where u.tenant_id = $1 and u.charge_kind = 'message' order by u.message_ref, u.participant for update of u`,
    [tx.tenantId, ...keys],
  );
  for (const row of known) {
    const state = states.get(`${row.message_ref}/${row.participant}`);
    if (!state) continue;
    // The first evidence decides where a message belongs; what a later one says of it is the same fact seen again.
    state.key = row.subject_key;
    state.data = { ...state.data, wabaId: row.waba_id, phoneNumberId: row.phone_number_id, marketHint: marketHint(row) };
    state.revision = row.revision;
    state.outcome = row.outcome;
  }
  const evidence = await tx.query<EvidenceRow>(
    `select e.message_ref, e.participant, e.event_id, e.status, e.provider_time, e.recorded_time, e.pricing
     from usage_evidence e join unnest($2::text[], $3::text[]) as k(message_ref, participant) using (message_ref, participant)
     where e.tenant_id = $1 and e.charge_kind = 'message' order by e.message_ref, e.participant, e.place`,
    [tx.tenantId, ...keys],
  );
  for (const row of evidence)
    states.get(`${row.message_ref}/${row.participant}`)?.evidence.set(row.event_id, {
      eventId: row.event_id,
      status: row.status,
      providerTime: row.provider_time.toISOString(),
      recordedTime: row.recorded_time.toISOString(),
      pricing: row.pricing,
    });
  return states;
};

const save = async (tx: Tx, states: readonly State[]): Promise<void> => {
  const touched = states
    .filter(({ added }) => added.length > 0)
    .sort((left, right) => (idOf(left.data) < idOf(right.data) ? -1 : 1));
  const column = (value: (state: State) => unknown): unknown[] => touched.map(value);
  await tx.execute(
    `insert into usage (tenant_id, message_ref, participant, charge_kind, subject_key, waba_id, phone_number_id, market_country, market_prefix, month, revision, outcome)
     select $1, u.*
     from unnest($2::text[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::int[], $12::jsonb[]) u
     on conflict (tenant_id, message_ref, participant, charge_kind) do update
       set month = excluded.month, revision = excluded.revision, outcome = excluded.outcome`,
    [
      tx.tenantId,
      column(({ data }) => data.messageRef),
      column(({ data }) => data.participant),
      column(() => 'message'),
      column(({ key }) => key),
      column(({ data }) => data.wabaId),
      column(({ data }) => data.phoneNumberId),
      column(({ data }) => data.marketHint.country),
      column(({ data }) => data.marketHint.prefix),
      column(({ outcome }) => outcome?.month ?? null),
      column(({ revision }) => revision),
      column(({ outcome }) => (outcome ? JSON.stringify(outcome) : null)),
    ],
  );
  const added = touched.flatMap((state) =>
    state.added.map((eventId) => ({
      state,
      place: [...state.evidence.keys()].indexOf(eventId),
      evidence: state.evidence.get(eventId),
    })),
  );
  await tx.execute(
    `insert into usage_evidence (tenant_id, message_ref, participant, charge_kind, event_id, place, status, provider_time, recorded_time, pricing)
     select $1, e.* from unnest($2::text[], $3::text[], $4::text[], $5::uuid[], $6::bigint[], $7::text[], $8::timestamptz[], $9::timestamptz[], $10::jsonb[]) e`,
    [
      tx.tenantId,
      added.map(({ state }) => state.data.messageRef),
      added.map(({ state }) => state.data.participant),
      added.map(() => 'message'),
      added.map(({ evidence }) => evidence?.eventId),
      added.map(({ place }) => place),
      added.map(({ evidence }) => evidence?.status),
      added.map(({ evidence }) => evidence?.providerTime),
      added.map(({ evidence }) => evidence?.recordedTime),
      added.map(({ evidence }) => (evidence?.pricing ? JSON.stringify(evidence.pricing) : null)),
    ],
  );
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
type EvidenceRow = {
  message_ref: string;
  participant: string;
  event_id: string;
  status: string;
  provider_time: Date;
  recorded_time: Date;
  pricing: Evidence['pricing'];
};

const marketHint = (row: UsageRow): MarketHint => ({ country: row.market_country, prefix: row.market_prefix });
