import type { Sealed } from '@centralita/contracts';
import { evolveCase, messageKind, millis, type CaseEvent, type CaseState } from '@centralita/domain-conversation';
import type { Tx } from '@centralita/event-store';
import { readRows, writeRows } from '../record/rows.js';
import type { Recorded } from '../record/recorded.js';

/** A row of `conversation`: the case, and what a list shows of it. */
export type ConversationRow = {
  readonly conversation_id: string;
  readonly subject_id: string;
  readonly phone_number_id: string;
  readonly contact_id: string;
  readonly ordinal: number;
  readonly status: 'open' | 'closed';
  readonly opened_at: string;
  readonly closed_at: string | null;
  readonly disposition_code: string | null;
  readonly language: string | null;
  readonly outbound_version: number;
  readonly stream_version: number;
  readonly unread: number;
  readonly last_at: string;
  readonly last_position: number;
  readonly last_kind: 'in' | 'out' | 'echo';
  readonly last_sealed: Sealed | null;
  readonly profile_at: string | null;
  readonly profile_sealed: Sealed | null;
};

export const CONVERSATION_COLUMNS = `conversation_id, subject_id, phone_number_id, contact_id, ordinal, status, opened_at, closed_at,
  disposition_code, language, outbound_version, stream_version, unread, last_at, last_position, last_kind, last_sealed, profile_at,
  profile_sealed`;

const caseOf = (row: ConversationRow): CaseState => ({
  conversationId: row.conversation_id,
  subjectId: row.subject_id,
  contactId: row.contact_id,
  phoneNumberId: row.phone_number_id,
  ordinal: row.ordinal,
  status: row.status,
  closedAt: row.closed_at,
  dispositionCode: row.disposition_code,
  outboundVersion: row.outbound_version,
});

const newest = (
  row: ConversationRow,
  message: Pick<ConversationRow, 'last_at' | 'last_position' | 'last_kind' | 'last_sealed'>,
): Partial<ConversationRow> =>
  // The same second holds a whole album: then the position in the stream says which came last.
  millis(message.last_at) > millis(row.last_at) || (message.last_at === row.last_at && message.last_position > row.last_position)
    ? message
    : {};

const listed = (row: ConversationRow, event: CaseEvent, position: number): Partial<ConversationRow> => {
  if (event.type === 'conversation.reply.requested.v1')
    return {
      unread: 0,
      ...newest(row, {
        last_at: event.data.requestedAt,
        last_position: position,
        last_kind: 'out',
        last_sealed: event.data.sealed,
      }),
    };
  if (event.type !== 'conversation.message.recorded.v1') return {};
  const { effectiveAt, direction, messageType, sealed } = event.data;
  const message = newest(row, { last_at: effectiveAt, last_position: position, last_kind: direction, last_sealed: sealed });
  if (direction === 'echo') return { unread: 0, ...message };
  const writesNow = row.profile_at === null || millis(effectiveAt) >= millis(row.profile_at);
  return {
    unread: row.unread + (messageKind(messageType) === 'speech' ? 1 : 0),
    ...message,
    ...(writesNow ? { profile_at: effectiveAt, profile_sealed: sealed } : {}),
  };
};

/** Folds one event of a case into its row. An event that is in there already changes nothing, so any prefix may be applied again. */
export const evolveConversationRow = (
  row: ConversationRow | null,
  event: CaseEvent,
  position: number,
): ConversationRow | null => {
  if (row !== null && position <= row.stream_version) return row;
  const state = evolveCase(row === null ? null : caseOf(row), event);
  if (state === null) return null;
  const facts = {
    status: state.status,
    closed_at: state.closedAt,
    disposition_code: state.dispositionCode,
    outbound_version: state.outboundVersion,
    stream_version: position,
  };
  if (row !== null) return { ...row, ...listed(row, event, position), ...facts };
  if (event.type !== 'conversation.opened.v1') return null;
  return {
    ...{ conversation_id: state.conversationId, subject_id: state.subjectId, phone_number_id: state.phoneNumberId },
    ...{ contact_id: state.contactId, ordinal: state.ordinal, opened_at: event.data.openedAt, language: event.data.language },
    ...facts,
    ...{ unread: 0, last_at: event.data.openedAt, last_position: 0, last_kind: 'in', last_sealed: null },
    ...{ profile_at: null, profile_sealed: null },
  };
};

const isCaseEvent = (recorded: Recorded): recorded is Recorded<CaseEvent> =>
  recorded.event.type !== 'contact.identified.v1' && recorded.event.type !== 'conversation.window.opened.v1';

/** Brings the rows of all conversations that these events touch up to date: one read, one write. */
export const projectConversations = async (tx: Tx, recorded: readonly Recorded[]): Promise<void> => {
  const events = recorded.filter(isCaseEvent);
  if (events.length === 0) return;
  const known = await readRows<ConversationRow>(
    tx,
    `select ${CONVERSATION_COLUMNS} from conversation where tenant_id = $1 and conversation_id = any ($2::uuid[])`,
    [tx.tenantId, [...new Set(events.map(({ event }) => event.data.conversationId))]],
  );
  const rows = new Map(known.map((row) => [row.conversation_id, row]));
  for (const { event, streamVersion } of events) {
    const row = evolveConversationRow(rows.get(event.data.conversationId) ?? null, event, streamVersion);
    if (row) rows.set(row.conversation_id, row);
  }
  await writeRows(tx, 'conversation', ['conversation_id'], [...rows.values()]);
};
