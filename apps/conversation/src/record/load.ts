import type { WindowState } from '@centralita/domain-conversation';
import type { Tx } from '@centralita/event-store';
import { CONVERSATION_COLUMNS, type ConversationRow } from '../inbox/projection.js';
import { readRows } from './rows.js';

export type LineKey = { readonly phoneNumberId: string; readonly subjectId: string };
export const lineKey = ({ phoneNumberId, subjectId }: LineKey): string => `${phoneNumberId}:${subjectId}`;

export type LoadedLine = { readonly window: WindowState; readonly latest: ConversationRow | null };

/**
 * What the caller, who holds the locks of their subjects, has read: conversations by id, windows by {@link lineKey}. A conversation or
 * window that is not in here does not exist.
 */
export type Known = {
  readonly conversations: ReadonlyMap<string, ConversationRow>;
  readonly windows: ReadonlyMap<string, WindowState>;
};

const columns = CONVERSATION_COLUMNS.map((column) => `c.${column}`).join(', ');

/**
 * Windows and latest cases of many (business number, subject), by {@link lineKey}. A row of `conversation` is the fold of its stream,
 * written in the transaction of each event, so it is read in place of the stream, however long that has become; should it ever be
 * behind, the expected version refuses what was decided on it.
 */
export const loadLines = async (tx: Tx, keys: readonly LineKey[]): Promise<Map<string, LoadedLine>> => {
  const wanted = [...new Map(keys.map((key) => [lineKey(key), key])).values()];
  type Row = ConversationRow & {
    line_number: string;
    line_subject: string;
    line_opened_at: string | null;
    line_contradicted_at: string | null;
    conversation_id: string | null;
  };
  const rows = await readRows<Row>(
    tx,
    `select u.phone_number_id as line_number, u.subject_id as line_subject, l.opened_at as line_opened_at,
            l.contradicted_at as line_contradicted_at, ${columns}
     from unnest($2::text[], $3::uuid[]) as u (phone_number_id, subject_id)
     left join service_window l on l.tenant_id = $1 and l.phone_number_id = u.phone_number_id and l.subject_id = u.subject_id
     left join lateral (
       select * from conversation
       where tenant_id = $1 and phone_number_id = u.phone_number_id and subject_id = u.subject_id
       order by ordinal desc limit 1
     ) c on true`,
    [tx.tenantId, wanted.map(({ phoneNumberId }) => phoneNumberId), wanted.map(({ subjectId }) => subjectId)],
  );
  return new Map(
    rows.map(({ line_number, line_subject, line_opened_at, line_contradicted_at, ...latest }) => [
      lineKey({ phoneNumberId: line_number, subjectId: line_subject }),
      {
        window: { openedAt: line_opened_at, contradictedAt: line_contradicted_at },
        latest: latest.conversation_id === null ? null : latest,
      },
    ]),
  );
};
