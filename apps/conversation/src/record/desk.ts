import { PlatformError, type Sealed } from '@centralita/contracts';
import {
  noWindow,
  unassigned,
  type Assignment,
  type CaseActor,
  type CaseState,
  type Viewer,
  type WindowState,
} from '@centralita/domain-conversation';
import { causalToken, type Appended, type Tx } from '@centralita/event-store';
import type { Actor } from '@centralita/platform-nest';
import { CONVERSATION_COLUMNS, type ConversationRow } from '../inbox/projection.js';
import { readAssignments } from './assignments.js';
import { lineKey, loadCases, loadLines } from './load.js';
import { lockSubjects } from './lock.js';
import { readRows } from './rows.js';

/** The row of a conversation, or NOT_FOUND: an unknown id and one of another tenant look the same. */
export const findConversation = async (tx: Tx, conversationId: string): Promise<ConversationRow> => {
  const [row] = await readRows<ConversationRow>(
    tx,
    `select ${CONVERSATION_COLUMNS} from conversation where tenant_id = $1 and conversation_id = $2`,
    [tx.tenantId, conversationId],
  );
  if (!row) throw new PlatformError('NOT_FOUND', 'there is nothing here');
  return row;
};

/** A case as a command finds it: locked, folded from its stream, with all that rules ask for. */
export type CaseOnDesk = {
  readonly state: CaseState;
  readonly streamVersion: number;
  readonly window: WindowState;
  readonly assignment: Assignment;
};

/** Locks the customer, then loads the case. Nothing that a rule looks at changes until the transaction ends. */
export const takeCase = async (tx: Tx, conversationId: string): Promise<CaseOnDesk> => {
  const row = await findConversation(tx, conversationId);
  await lockSubjects(tx, [row.subject_id]);
  const line = { phoneNumberId: row.phone_number_id, subjectId: row.subject_id };
  const cases = await loadCases(tx, [conversationId]);
  const loaded = cases.get(conversationId);
  if (!loaded) throw new PlatformError('INTERNAL', 'a conversation has no stream', { conversationId });
  const lines = await loadLines(tx, [line]);
  const assignments = await readAssignments(tx, [conversationId]);
  return {
    ...loaded,
    window: lines.get(lineKey(line))?.window ?? noWindow,
    assignment: assignments.get(conversationId) ?? unassigned,
  };
};

export const isSupervisor = (actor: Actor): boolean => actor.roles.includes('supervisor');
export const caseActor = (actor: Actor): CaseActor => ({ id: actor.id, supervisor: isSupervisor(actor) });

/** What rules of visibility ask about an actor. */
export const viewerOf = async (tx: Tx, actor: Actor): Promise<Viewer> => {
  const [row] = await tx.query<{ queue_ids: string[] }>(`select queue_ids from agent where tenant_id = $1 and agent_id = $2`, [
    tx.tenantId,
    actor.id,
  ]);
  return { id: actor.id, supervisor: isSupervisor(actor), queueIds: row?.queue_ids ?? [] };
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
