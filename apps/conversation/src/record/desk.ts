import { PlatformError, type ReasonCode, type Sealed } from '@centralita/contracts';
import {
  rightToLook,
  type Assignment,
  type CaseActor,
  type CaseState,
  type Viewer,
  type WindowState,
} from '@centralita/domain-conversation';
import { causalToken, type Appended, type Tx } from '@centralita/event-store';
import type { Actor } from '@centralita/platform-nest';
import { caseOf, conversationRow } from '../inbox/projection.js';
import { readConversation, type ListedConversation } from '../inbox/query.js';
import { assignmentOf } from './assignments.js';
import { lineKey, type Known } from './load.js';

const nothingHere = (): PlatformError => new PlatformError('NOT_FOUND', 'there is nothing here');

export const isSupervisor = (actor: Actor): boolean => actor.roles.includes('supervisor');
export const caseActor = (actor: Actor): CaseActor => ({ id: actor.id, supervisor: isSupervisor(actor) });

const assignmentIn = (row: ListedConversation): Assignment =>
  assignmentOf({ ...row, version: row.assignment_version, seen: row.assignment_seen });

/** A conversation, who works on it, and what rules of visibility ask about the one who looks. */
export type Look = { readonly row: ListedConversation; readonly assignment: Assignment; readonly viewer: Viewer };

/** The conversation as somebody finds it who asks for it, or NOT_FOUND: an unknown id and one of another tenant look the same. */
export const lookFor = async (tx: Tx, conversationId: string, actor: Actor): Promise<Look> => {
  const row = await readConversation(tx, conversationId, actor.id);
  if (!row) throw nothingHere();
  const viewer = { id: actor.id, supervisor: isSupervisor(actor), queueIds: row.queues_of_agent };
  return { row, assignment: assignmentIn(row), viewer };
};

/** By what right this is shown; FORBIDDEN when by none. */
export const rightOf = ({ row, assignment, viewer }: Look): ReasonCode => {
  const right = rightToLook(viewer, { assignment, closed: row.status === 'closed' });
  if (right === null)
    throw new PlatformError('FORBIDDEN', 'this conversation is neither yours nor waiting in one of your queues');
  return right;
};

/** A case as a command finds it: locked, with all that rules ask for. */
export type CaseOnDesk = {
  readonly state: CaseState;
  readonly streamVersion: number;
  readonly window: WindowState;
  readonly assignment: Assignment;
  readonly known: Known;
};

/**
 * Locks the customer, then reads the case: nothing that a rule looks at changes until the transaction ends. The lock is a statement of
 * its own, so that what is read was committed by whoever held it before.
 */
export const takeCase = async (tx: Tx, conversationId: string, actor: { readonly id: string }): Promise<CaseOnDesk> => {
  const locked = await tx.query(
    `select 1 from subject s where s.tenant_id = $1 and s.subject_id =
       (select c.subject_id from conversation c where c.tenant_id = $1 and c.conversation_id = $2) for update of s`,
    [tx.tenantId, conversationId],
  );
  const row = locked.length === 0 ? null : await readConversation(tx, conversationId, actor.id);
  if (!row) throw nothingHere();
  const window = { openedAt: row.window_opened_at, contradictedAt: row.window_contradicted_at };
  return {
    state: caseOf(row),
    streamVersion: row.stream_version,
    window,
    assignment: assignmentIn(row),
    known: {
      conversations: new Map([[conversationId, conversationRow(row)]]),
      windows: new Map([[lineKey({ phoneNumberId: row.phone_number_id, subjectId: row.subject_id }), window]]),
    },
  };
};

/** What a command leaves behind for its answer: ids and versions only, so that a retry can be answered from it. */
export type CommandResult = { readonly id: string; readonly version: string; readonly token: string | null };

/** Carried by the next request, it waits until that sees the last of these events. */
export const tokenOf = (appended: readonly Appended[]): string | null => {
  const last = appended.at(-1);
  return last ? causalToken.encode('conversation.events.v1', last.key, last.keyVersion) : null;
};

/** The subjects whose data an envelope shows. */
export const subjectsOfEnvelopes = (envelopes: readonly (Sealed | null)[]): string[] => [
  ...new Set(envelopes.flatMap((sealed) => sealed?.subject ?? [])),
];
