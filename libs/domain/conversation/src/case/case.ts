import { unreachable, type CaseEvent } from '../event.js';
import { DAY_MS, millis } from '../time.js';

/** A closed case that gets a message within this time is reopened; later the next case begins. */
export const REOPEN_MS = DAY_MS;

/** One case: a conversation from its opening to its closing, with all that later decisions depend on. */
export type CaseState = {
  readonly conversationId: string;
  readonly subjectId: string;
  readonly contactId: string;
  readonly phoneNumberId: string;
  readonly ordinal: number;
  readonly status: 'open' | 'closed';
  readonly closedAt: string | null;
  readonly dispositionCode: string | null;
  /** Counts what left the business in this case: replies asked for and echoes of other devices. A precondition of the next reply. */
  readonly outboundVersion: number;
};

/** Folds the stream of one case. Events before the opening do not exist; the first is always `conversation.opened`. */
export const evolveCase = (state: CaseState | null, event: CaseEvent): CaseState | null => {
  if (event.type === 'conversation.opened.v1') {
    const { conversationId, subjectId, contactId, phoneNumberId, ordinal } = event.data;
    return {
      conversationId,
      subjectId,
      contactId,
      phoneNumberId,
      ordinal,
      status: 'open',
      closedAt: null,
      dispositionCode: null,
      outboundVersion: 0,
    };
  }
  if (state === null) return null;
  switch (event.type) {
    case 'conversation.reopened.v1':
      return { ...state, status: 'open', closedAt: null, dispositionCode: null };
    case 'conversation.message.recorded.v1':
      return event.data.direction === 'echo' ? { ...state, outboundVersion: state.outboundVersion + 1 } : state;
    case 'conversation.reply.requested.v1':
      return { ...state, outboundVersion: state.outboundVersion + 1 };
    case 'conversation.disposed.v1':
      return { ...state, dispositionCode: event.data.code };
    case 'conversation.closed.v1':
      return { ...state, status: 'closed', closedAt: event.data.closedAt };
    case 'conversation.reply.refused.v1':
    case 'conversation.transfer.requested.v1':
    case 'conversation.noted.v1':
      return state;
    default:
      return unreachable(event);
  }
};

export type Belongs =
  | { readonly place: 'open' }
  | { readonly place: 'join'; readonly latest: CaseState }
  | { readonly place: 'reopen'; readonly latest: CaseState };

/**
 * Where a customer's message of that time belongs: to the latest case while it is open; the same reopened up to 24 h after its closing;
 * else to the next. A message written before the closing that arrives after it reopens too: nobody has seen it.
 */
export const whereItBelongs = (latest: CaseState | null, effectiveAt: string): Belongs => {
  if (latest === null) return { place: 'open' };
  if (latest.closedAt === null) return { place: 'join', latest };
  return millis(effectiveAt) - millis(latest.closedAt) <= REOPEN_MS ? { place: 'reopen', latest } : { place: 'open' };
};
