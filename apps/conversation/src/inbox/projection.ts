import type { Sealed } from '@centralita/contracts';
import {
  evolveCase,
  later,
  messageKind,
  millis,
  placeInThread,
  type CaseEvent,
  type CaseState,
  type Placed,
} from '@centralita/domain-conversation';
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
  /** Place of the newest message in the thread. */
  readonly last_at: string;
  readonly last_kind: 'in' | 'out' | 'echo';
  readonly last_sealed: Sealed | null;
  readonly profile_at: string | null;
  readonly profile_sealed: Sealed | null;
  /** The last place that is taken in the thread. */
  readonly thread_at: string;
};

export const CONVERSATION_COLUMNS = [
  ...(['conversation_id', 'subject_id', 'phone_number_id', 'contact_id', 'ordinal', 'status', 'opened_at', 'closed_at'] as const),
  ...(['disposition_code', 'language', 'outbound_version', 'stream_version', 'unread', 'last_at', 'last_kind'] as const),
  ...(['last_sealed', 'profile_at', 'profile_sealed', 'thread_at'] as const),
] as const satisfies readonly (keyof ConversationRow)[];

/** The columns of a conversation alone, of a row that holds others too. */
export const conversationRow = (row: ConversationRow): ConversationRow =>
  Object.fromEntries(CONVERSATION_COLUMNS.map((column) => [column, row[column]])) as ConversationRow;

export const caseOf = (row: ConversationRow): CaseState => ({
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

/** What of an event says where its line stands; null for an event that is no line of the thread. */
const placedOf = (event: CaseEvent, recordedAt: string): Placed | null => {
  switch (event.type) {
    case 'conversation.message.recorded.v1':
      return { origin: 'provider', at: event.data.effectiveAt, recordedAt };
    case 'conversation.reopened.v1':
      return { origin: 'provider', at: event.data.reopenedAt, recordedAt };
    case 'conversation.reply.requested.v1':
      return { origin: 'here', at: event.data.requestedAt, recordedAt };
    case 'conversation.noted.v1':
      return { origin: 'here', at: event.data.notedAt, recordedAt };
    case 'conversation.closed.v1':
      return { origin: 'here', at: event.data.closedAt, recordedAt };
    case 'conversation.disposed.v1':
      return { origin: 'here', at: event.data.disposedAt, recordedAt };
    default:
      // Openings, refusals and transfer requests are no lines: routing tells what came of the last.
      return null;
  }
};

const newest = (
  row: ConversationRow,
  message: Pick<ConversationRow, 'last_at' | 'last_kind' | 'last_sealed'>,
): Partial<ConversationRow> => (millis(message.last_at) >= millis(row.last_at) ? message : {});

const listed = (row: ConversationRow, event: CaseEvent, place: string): Partial<ConversationRow> => {
  if (event.type === 'conversation.reply.requested.v1')
    return { unread: 0, ...newest(row, { last_at: place, last_kind: 'out', last_sealed: event.data.sealed }) };
  if (event.type !== 'conversation.message.recorded.v1') return {};
  const { effectiveAt, direction, messageType, sealed } = event.data;
  const message = newest(row, { last_at: place, last_kind: direction, last_sealed: sealed });
  if (direction === 'echo') {
    // Whoever answers elsewhere has seen what came before; one that comes late says nothing about what came since.
    const answered = messageKind(messageType) === 'speech' && millis(place) >= millis(row.last_at);
    return { ...(answered ? { unread: 0 } : {}), ...message };
  }
  const writesNow = row.profile_at === null || millis(effectiveAt) >= millis(row.profile_at);
  return {
    unread: row.unread + (messageKind(messageType) === 'speech' ? 1 : 0),
    ...message,
    ...(writesNow ? { profile_at: effectiveAt, profile_sealed: sealed } : {}),
  };
};

/** A row after an event, and the place that the event's line got in the thread; null when it is no line. */
type Folded = { readonly row: ConversationRow; readonly place: string | null };

/** Folds one event of a case into its row. Null when it is in there already, so any prefix may be applied again. */
export const evolveConversationRow = (
  row: ConversationRow | null,
  { event, streamVersion, time }: Recorded<CaseEvent>,
): Folded | null => {
  if (row !== null && streamVersion <= row.stream_version) return null;
  const state = evolveCase(row === null ? null : caseOf(row), event);
  if (state === null) return null;
  const facts = {
    status: state.status,
    closed_at: state.closedAt,
    disposition_code: state.dispositionCode,
    outbound_version: state.outboundVersion,
    stream_version: streamVersion,
  };
  if (row !== null) {
    const placed = placedOf(event, time);
    if (!placed) return { row: { ...row, ...facts }, place: null };
    const place = placeInThread(placed, row.thread_at);
    return { row: { ...row, ...listed(row, event, place), ...facts, thread_at: later(row.thread_at, place) }, place };
  }
  if (event.type !== 'conversation.opened.v1') return null;
  const { openedAt, language } = event.data;
  return {
    row: {
      ...{ conversation_id: state.conversationId, subject_id: state.subjectId, phone_number_id: state.phoneNumberId },
      ...{ contact_id: state.contactId, ordinal: state.ordinal, opened_at: openedAt, language },
      ...facts,
      ...{ unread: 0, last_at: openedAt, last_kind: 'in', last_sealed: null, thread_at: openedAt },
      ...{ profile_at: null, profile_sealed: null },
    },
    place: null,
  };
};

const isCaseEvent = (recorded: Recorded): recorded is Recorded<CaseEvent> =>
  recorded.event.type !== 'contact.identified.v1' && recorded.event.type !== 'conversation.window.opened.v1';

/** A fact with the place of its line. */
export type PlacedFact = { readonly recorded: Recorded<CaseEvent>; readonly place: string };

/** Folds events into the rows of their conversations, and gives each new line its place. */
export const foldConversations = (
  known: ReadonlyMap<string, ConversationRow>,
  recorded: readonly Recorded[],
): { rows: ConversationRow[]; placed: PlacedFact[] } => {
  const rows = new Map<string, ConversationRow>();
  const placed: PlacedFact[] = [];
  for (const one of recorded.filter(isCaseEvent)) {
    const { conversationId } = one.event.data;
    const folded = evolveConversationRow(rows.get(conversationId) ?? known.get(conversationId) ?? null, one);
    if (!folded) continue;
    rows.set(conversationId, folded.row);
    if (folded.place !== null) placed.push({ recorded: one, place: folded.place });
  }
  return { rows: [...rows.values()], placed };
};
