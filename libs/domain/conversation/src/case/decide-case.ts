import { PlatformError, type Sealed } from '@centralita/contracts';
import { unreachable, type CaseEvent } from '../event.js';
import type { CaseState } from './case.js';

export type CaseActor = { readonly id: string; readonly supervisor: boolean };
type Base = { readonly now: string; readonly actor: CaseActor; readonly assignedAgentId: string | null };
export type CaseCommand = Base &
  (
    | { readonly type: 'add-note'; readonly noteId: string; readonly sealed: Sealed }
    | { readonly type: 'set-disposition'; readonly code: string }
    | { readonly type: 'close'; readonly dispositionCode: string | null }
    | {
        readonly type: 'request-transfer';
        readonly transferId: string;
        readonly toQueueId: string | null;
        readonly toAgentId: string | null;
      }
  );

const mustWorkOnIt = (command: Base): void => {
  if (command.assignedAgentId !== command.actor.id && !command.actor.supervisor)
    throw new PlatformError('NOT_ASSIGNED', 'only the assigned agent or a supervisor may do this');
};
const mustBeOpen = (state: CaseState): void => {
  if (state.status === 'closed') throw new PlatformError('CONVERSATION_CLOSED', 'the conversation is closed');
};

/**
 * Decides what an agent does to a case other than answering. A note and a disposition may follow the closing (wrap-up); closing
 * needs a disposition. Throws NOT_ASSIGNED, CONVERSATION_CLOSED, DISPOSITION_REQUIRED.
 */
export const decideCase = (state: CaseState, command: CaseCommand): CaseEvent[] => {
  const { conversationId, subjectId } = state;
  const base = { conversationId, subjectId };
  const agentId = command.actor.id;
  mustWorkOnIt(command);
  switch (command.type) {
    case 'add-note':
      return [
        {
          type: 'conversation.noted.v1',
          data: { ...base, noteId: command.noteId, agentId, notedAt: command.now, sealed: command.sealed },
        },
      ];
    case 'set-disposition':
      if (state.dispositionCode === command.code) return [];
      return [{ type: 'conversation.disposed.v1', data: { ...base, agentId, code: command.code, disposedAt: command.now } }];
    case 'close': {
      mustBeOpen(state);
      const code = command.dispositionCode ?? state.dispositionCode;
      if (code === null) throw new PlatformError('DISPOSITION_REQUIRED', 'set a disposition before closing');
      return [
        ...(state.dispositionCode === code ? [] : decideCase(state, { ...command, type: 'set-disposition', code })),
        { type: 'conversation.closed.v1', data: { ...base, agentId, dispositionCode: code, closedAt: command.now } },
      ];
    }
    case 'request-transfer': {
      mustBeOpen(state);
      // Routing takes a conversation over from the agent who has it and from nobody else: a supervisor hands it over in that agent's place.
      if (command.assignedAgentId === null)
        throw new PlatformError('NOT_ASSIGNED', 'nobody has this conversation, so nobody can hand it over');
      return [
        {
          type: 'conversation.transfer.requested.v1',
          data: {
            ...base,
            transferId: command.transferId,
            agentId: command.assignedAgentId,
            toQueueId: command.toQueueId,
            toAgentId: command.toAgentId,
            requestedAt: command.now,
          },
        },
      ];
    }
    default:
      return unreachable(command);
  }
};
