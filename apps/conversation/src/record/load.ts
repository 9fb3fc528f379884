import { CASE_EVENT_TYPES, evolveCase, type CaseEvent, type CaseState, type WindowState } from '@centralita/domain-conversation';
import type { Tx } from '@centralita/event-store';
import { readRows } from './rows.js';

export type LoadedCase = { readonly state: CaseState; readonly streamVersion: number };

/**
 * Cases as the fold of their streams, many in one query. Of the messages only echoes change a case, so the others, most of every
 * stream, stay in the database; so do the envelopes.
 */
export const loadCases = async (tx: Tx, conversationIds: readonly string[]): Promise<Map<string, LoadedCase>> => {
  const rows = await tx.query<{ stream_id: string; event: CaseEvent; newest: string }>(
    `select e.stream_id, jsonb_build_object('type', e.type, 'data', e.data - 'sealed') as event,
            (select max(n.stream_version) from events n where n.tenant_id = e.tenant_id and n.stream_id = e.stream_id) as newest
     from events e
     where e.tenant_id = $1 and e.stream_id = any ($2::uuid[]) and e.type = any ($3)
       and (e.type <> 'conversation.message.recorded.v1' or e.data ->> 'direction' = 'echo')
     order by e.stream_id, e.stream_version`,
    [tx.tenantId, conversationIds, CASE_EVENT_TYPES],
  );
  const cases = new Map<string, LoadedCase>();
  for (const { stream_id, event, newest } of rows) {
    const state = evolveCase(cases.get(stream_id)?.state ?? null, event);
    if (state) cases.set(stream_id, { state, streamVersion: Number(newest) });
  }
  return cases;
};

export type LineKey = { readonly phoneNumberId: string; readonly subjectId: string };
export const lineKey = ({ phoneNumberId, subjectId }: LineKey): string => `${phoneNumberId}:${subjectId}`;

export type LoadedLine = { readonly window: WindowState; readonly latest: LoadedCase | null };

/** Windows and latest cases of many (business number, subject), by {@link lineKey}. */
export const loadLines = async (tx: Tx, keys: readonly LineKey[]): Promise<Map<string, LoadedLine>> => {
  const wanted = [...new Map(keys.map((key) => [lineKey(key), key])).values()];
  const rows = await readRows<{
    phone_number_id: string;
    subject_id: string;
    opened_at: string | null;
    contradicted_at: string | null;
    conversation_id: string | null;
  }>(
    tx,
    `select u.phone_number_id, u.subject_id, l.opened_at, l.contradicted_at, c.conversation_id
     from unnest($2::text[], $3::uuid[]) as u (phone_number_id, subject_id)
     left join service_window l on l.tenant_id = $1 and l.phone_number_id = u.phone_number_id and l.subject_id = u.subject_id
     left join lateral (
       select conversation_id from conversation
       where tenant_id = $1 and phone_number_id = u.phone_number_id and subject_id = u.subject_id
       order by ordinal desc limit 1
     ) c on true`,
    [tx.tenantId, wanted.map(({ phoneNumberId }) => phoneNumberId), wanted.map(({ subjectId }) => subjectId)],
  );
  const cases = await loadCases(
    tx,
    rows.flatMap(({ conversation_id }) => conversation_id ?? []),
  );
  return new Map(
    rows.map((row) => [
      lineKey({ phoneNumberId: row.phone_number_id, subjectId: row.subject_id }),
      {
        window: { openedAt: row.opened_at, contradictedAt: row.contradicted_at },
        latest: row.conversation_id === null ? null : (cases.get(row.conversation_id) ?? null),
      },
    ]),
  );
};
