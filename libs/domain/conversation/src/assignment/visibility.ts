import type { ReasonCode } from '@centralita/contracts';
import type { Assignment } from './assignment.js';

export type Viewer = { readonly id: string; readonly supervisor: boolean; readonly queueIds: readonly string[] };

/**
 * Whether somebody may look at a conversation, and by what right; null when not. An agent sees what is assigned or offered to them,
 * what waits in their own queues, and the closed ones they had last. A supervisor sees all.
 */
export const rightToLook = (
  viewer: Viewer,
  { assignment, closed }: { readonly assignment: Assignment; readonly closed: boolean },
): ReasonCode | null => {
  if (assignment.agentId === viewer.id) return 'ASSIGNED_CONVERSATION';
  if (closed && assignment.agentId === null && assignment.lastAgentId === viewer.id) return 'ASSIGNED_CONVERSATION';
  if (viewer.supervisor) return 'SUPERVISION_QA';
  if (assignment.offeredAgentId === viewer.id) return 'QUEUE_TRIAGE';
  const waits = !closed && assignment.agentId === null;
  return waits && assignment.queueId !== null && viewer.queueIds.includes(assignment.queueId) ? 'QUEUE_TRIAGE' : null;
};
