import type { Sealed } from '@centralita/contracts';
import type { PlacedFact } from '../inbox/projection.js';

/** A row of `thread_item`: one line of a conversation, in the order (placed_at, position, item_id). */
export type ThreadRow = {
  readonly conversation_id: string;
  readonly item_id: string;
  readonly kind: 'inbound' | 'echo' | 'reply' | 'note' | 'event';
  readonly at: string;
  readonly placed_at: string;
  readonly position: number;
  readonly message_type: string | null;
  readonly message_ref: string | null;
  readonly participant: string | null;
  readonly context_ref: string | null;
  readonly media: { readonly mediaId: string; readonly mimeType: string; readonly voice: boolean } | null;
  readonly agent_id: string | null;
  readonly send_id: string | null;
  readonly status: string | null;
  readonly status_code: string | null;
  readonly event_type: string | null;
  readonly sealed: Sealed | null;
};

const blank = {
  message_type: null,
  message_ref: null,
  participant: null,
  context_ref: null,
  media: null,
  agent_id: null,
  send_id: null,
  status: null,
  status_code: null,
  event_type: null,
  sealed: null,
};

/** A line that says what happened to the case, without words of anybody. */
export const eventLine = (line: {
  readonly conversationId: string;
  readonly id: string;
  readonly at: string;
  readonly placedAt: string;
  readonly position: number;
  readonly type: string;
  readonly agentId: string | null;
}): ThreadRow => ({
  ...blank,
  conversation_id: line.conversationId,
  item_id: line.id,
  kind: 'event',
  at: line.at,
  placed_at: line.placedAt,
  position: line.position,
  agent_id: line.agentId,
  event_type: line.type,
});

const lineOf = ({ recorded: { id, streamVersion, event }, place }: PlacedFact): ThreadRow | null => {
  const stands = { conversation_id: event.data.conversationId, placed_at: place, position: streamVersion };
  const happened = (at: string, type: string, agentId: string | null): ThreadRow =>
    eventLine({
      ...{ conversationId: event.data.conversationId, id, placedAt: place, position: streamVersion },
      ...{ at, type, agentId },
    });
  switch (event.type) {
    case 'conversation.message.recorded.v1': {
      const { messageRef, direction, messageType, participant, contextRef, effectiveAt, media, sealed } = event.data;
      return {
        ...blank,
        ...stands,
        item_id: messageType === 'call' ? `call:${messageRef}` : messageRef,
        kind: direction === 'in' ? 'inbound' : 'echo',
        at: effectiveAt,
        message_type: messageType,
        message_ref: messageRef,
        participant,
        context_ref: contextRef,
        media,
        sealed,
      };
    }
    case 'conversation.reply.requested.v1':
      return {
        ...blank,
        ...stands,
        item_id: event.data.replyId,
        kind: 'reply',
        at: event.data.requestedAt,
        message_type: event.data.kind,
        context_ref: event.data.contextRef,
        agent_id: event.data.agentId,
        send_id: event.data.sendId,
        status: 'requested',
        sealed: event.data.sealed,
      };
    case 'conversation.noted.v1':
      return {
        ...blank,
        ...stands,
        item_id: event.data.noteId,
        kind: 'note',
        at: event.data.notedAt,
        agent_id: event.data.agentId,
        sealed: event.data.sealed,
      };
    case 'conversation.closed.v1':
      return happened(event.data.closedAt, 'closed', event.data.agentId);
    case 'conversation.reopened.v1':
      return happened(event.data.reopenedAt, 'reopened', null);
    case 'conversation.disposed.v1':
      return happened(event.data.disposedAt, 'disposed', event.data.agentId);
    default:
      return null;
  }
};

/** The lines of these events. A line is never changed by a later event of ours, so one that is there already is right. */
export const threadLines = (placed: readonly PlacedFact[]): ThreadRow[] => placed.flatMap((fact) => lineOf(fact) ?? []);
