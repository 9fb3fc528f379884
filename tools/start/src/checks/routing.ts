import type { CloudEvent } from '@centralita/contracts';
import { isType } from '@centralita/contracts';
import type { Facts, Placed } from './facts.js';
import { Contradictions, groupBy, type Finding } from './finding.js';

/**
 * Check 3. Every conversation was queued; every assignment follows from an offer and a decision that names the candidates; nobody ever
 * holds more than their capacity, at any position of the routing domain.
 */
export const checkRouting = (facts: Facts): Finding => {
  const found = new Contradictions();
  const topic = 'routing.events.v1';
  const queued = facts.of(topic, 'task.queued.v1');
  const decided = new Map(facts.of(topic, 'routing.decided.v1').map((placed) => [placed.event.data.decisionId, placed.event]));
  const offered = new Map(
    facts.of(topic, 'reservation.offered.v1').map((placed) => [placed.event.data.reservationId, placed.event]),
  );
  const assigned = facts.of(topic, 'task.assigned.v1');
  const opened = facts.of('conversation.events.v1', 'conversation.opened.v1');
  const reopened = facts.of('conversation.events.v1', 'conversation.reopened.v1');

  const queuedByTask = groupBy(queued, ({ event }) => event.data.taskId);
  const turns = groupBy([...opened, ...reopened], ({ event }) => (event.data as { conversationId: string }).conversationId);
  for (const [conversationId] of turns)
    found.expect(queuedByTask.has(conversationId), `conversation ${conversationId} was never queued`);

  for (const { event } of assigned) {
    const { taskId, agentId, decisionId, reservationId } = event.data;
    const decision = decided.get(decisionId);
    found.expect(decision !== undefined, `assignment of ${taskId} names decision ${decisionId}, which is not on the log`);
    found.expect(
      decision?.data.chosenAgentId === agentId,
      `assignment of ${taskId} to ${agentId}: its decision chose ${decision?.data.chosenAgentId ?? 'nobody'}`,
    );
    const winner = decision?.data.candidates.find((candidate) => candidate.agentId === agentId);
    found.expect(
      winner?.eligible === true && winner.reason === 'chosen',
      `decision ${decisionId} does not say why ${agentId} won`,
    );
    const offer = offered.get(reservationId);
    found.expect(offer !== undefined && offer.data.agentId === agentId, `assignment of ${taskId} without an offer to ${agentId}`);
  }

  const byTenant = groupBy(facts.all(topic), ({ event }) => event.tenantid);
  let highest = 0;
  for (const [tenantId, placed] of byTenant) highest = Math.max(highest, replayCapacity(tenantId, placed, found));

  const waiting = [...queuedByTask.keys()].filter((taskId) => !assigned.some(({ event }) => event.data.taskId === taskId)).length;
  return {
    figures: {
      conversations: turns.size,
      queued: queued.length,
      decisions: decided.size,
      offers: offered.size,
      assignments: assigned.length,
      neverAssigned: waiting,
      highestLoad: highest,
    },
    problems: found.list,
  };
};

type Desk = { capacity: number; holds: Map<string, string> };

/** Replays one routing domain by its recorded positions and looks at every desk after every event. Returns the highest load seen. */
const replayCapacity = (tenantId: string, placed: readonly Placed[], found: Contradictions): number => {
  const first = new Map<string, CloudEvent>();
  for (const { event } of placed) if (event.domainseq !== undefined && !first.has(event.id)) first.set(event.id, event);
  const events = [...first.values()].sort((left, right) => (BigInt(left.domainseq ?? 0) < BigInt(right.domainseq ?? 0) ? -1 : 1));
  events.forEach((event, index) => {
    found.expect(
      event.domainseq === String(index + 1),
      `tenant ${tenantId}: position ${index + 1} of the routing domain is missing`,
    );
  });
  const desks = new Map<string, Desk>();
  const deskOf = (agentId: string): Desk => {
    const desk = desks.get(agentId) ?? { capacity: 0, holds: new Map<string, string>() };
    desks.set(agentId, desk);
    return desk;
  };
  const release = (taskId: string, agentId?: string): void => {
    for (const [id, desk] of desks) if (agentId === undefined || id === agentId) desk.holds.delete(taskId);
  };
  const live = new Map<string, string>();
  let highest = 0;
  for (const event of events) {
    if (isType(event, 'agent.defined.v1') || isType(event, 'agent.capacity.changed.v1'))
      deskOf(event.data.agentId).capacity = event.data.capacity;
    else if (isType(event, 'reservation.offered.v1')) {
      found.expect(
        !live.has(event.data.taskId),
        `task ${event.data.taskId} was offered at ${event.domainseq} while ${live.get(event.data.taskId)} had it`,
      );
      live.set(event.data.taskId, event.data.agentId);
      deskOf(event.data.agentId).holds.set(event.data.taskId, 'offer');
    } else if (
      isType(event, 'reservation.declined.v1') ||
      isType(event, 'reservation.expired.v1') ||
      isType(event, 'reservation.rescinded.v1')
    ) {
      live.delete(event.data.taskId);
      release(event.data.taskId, event.data.agentId);
    } else if (isType(event, 'task.assigned.v1')) {
      found.expect(
        live.get(event.data.taskId) === event.data.agentId,
        `task ${event.data.taskId} was assigned at ${event.domainseq} to somebody without an offer`,
      );
      deskOf(event.data.agentId).holds.set(event.data.taskId, 'assigned');
    } else if (isType(event, 'task.transferred.v1') || isType(event, 'task.released.v1') || isType(event, 'task.completed.v1')) {
      live.delete(event.data.taskId);
      release(event.data.taskId);
    }
    for (const [agentId, desk] of desks) {
      highest = Math.max(highest, desk.holds.size);
      found.expect(
        desk.holds.size <= desk.capacity,
        `agent ${agentId} holds ${desk.holds.size} of ${desk.capacity} after position ${event.domainseq}`,
      );
    }
  }
  return highest;
};
