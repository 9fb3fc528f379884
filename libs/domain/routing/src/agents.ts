import type { RoutingEventOf } from './events.js';
import { toInstant } from './instants.js';
import { namesOf, type Handler, type Recorder, type Refusal } from './recorder.js';
import { loadOf, type Phase, type Presence, type Task } from './state.js';
import { rescind } from './tasks.js';

type Offered = Extract<Phase, { name: 'offered' }>;

/** Open offers of one agent, or of all, the newest last. */
const openOffers = (recorder: Recorder, agentId?: string): { task: Task; offer: Offered }[] => {
  const open: { task: Task; offer: Offered }[] = [];
  for (const taskId of recorder.state.offers.values()) {
    const task = recorder.state.tasks.get(taskId);
    if (task?.phase.name === 'offered' && (agentId === undefined || task.phase.agentId === agentId))
      open.push({ task, offer: task.phase });
  }
  return open.sort((a, b) => a.offer.offeredAt - b.offer.offeredAt || (a.offer.reservationId < b.offer.reservationId ? -1 : 1));
};

/** Who is not there cannot answer: open offers go back to their places in the queue before the change is said. */
const setPresence = (
  recorder: Recorder,
  agentId: string,
  presence: Presence,
  cause: RoutingEventOf<'agent.presence.changed.v1'>['data']['cause'],
): void => {
  if (presence !== 'online')
    for (const { task, offer } of openOffers(recorder, agentId)) rescind(recorder, task, offer, 'agent_left');
  recorder.record({
    type: 'agent.presence.changed.v1',
    data: { agentId, presence, changedAt: toInstant(recorder.at), cause },
  });
};

export const presenceSet: Handler<'presence.set'> = (recorder, input) => {
  const agent = recorder.state.agents.get(input.agentId);
  if (!agent) return { code: 'AGENT_UNKNOWN', reason: 'nobody defined this agent' };
  if (agent.presence !== input.presence) setPresence(recorder, input.agentId, input.presence, input.cause);
  return undefined;
};

/**
 * The whole definition. When the capacity falls, the newest offers are taken back first and until the rest fits; work in hand is
 * never taken away, it only keeps new offers out until it is done.
 */
export const agentDefined: Handler<'agent.defined'> = (recorder, input) => {
  const { agentId, capacity } = input.agent;
  const known = recorder.state.agents.get(agentId);
  if (known) {
    const excess = Math.max(0, loadOf(known) - capacity);
    const newestFirst = openOffers(recorder, agentId).reverse();
    for (const { task, offer } of newestFirst.slice(0, excess)) rescind(recorder, task, offer, 'capacity_reduced');
  }
  recorder.record({
    type: 'agent.defined.v1',
    data: { ...input.agent, skills: [...input.agent.skills], queueIds: [...input.agent.queueIds] },
  });
  if (known?.capacity !== capacity)
    recorder.record({ type: 'agent.capacity.changed.v1', data: { agentId, capacity, changedAt: toInstant(recorder.at) } });
  return undefined;
};

type Held = { readonly task: Task; readonly offer: Offered };

const ownOffer = (recorder: Recorder, input: { reservationId: string; agentId: string }): Held | Refusal => {
  const task = recorder.state.tasks.get(recorder.state.offers.get(input.reservationId) ?? '');
  if (task?.phase.name !== 'offered' || task.phase.agentId !== input.agentId)
    return { code: 'OFFER_GONE', reason: 'the offer was answered, expired or taken back' };
  return { task, offer: task.phase };
};

export const offerAccepted: Handler<'offer.accepted'> = (recorder, input) => {
  const held = ownOffer(recorder, input);
  if ('code' in held) return held;
  const { task, offer } = held;
  const names = { ...namesOf(task), reservationId: offer.reservationId, agentId: offer.agentId };
  const now = toInstant(recorder.at);
  recorder.record({ type: 'reservation.accepted.v1', data: { ...names, acceptedAt: now } });
  recorder.record({
    type: 'task.assigned.v1',
    data: { ...names, decisionId: offer.decisionId, queueId: task.queueId, assignedAt: now },
  });
  return undefined;
};

export const offerDeclined: Handler<'offer.declined'> = (recorder, input) => {
  const held = ownOffer(recorder, input);
  if ('code' in held) return held;
  recorder.record({
    type: 'reservation.declined.v1',
    data: {
      ...namesOf(held.task),
      reservationId: input.reservationId,
      agentId: input.agentId,
      declinedAt: toInstant(recorder.at),
    },
  });
  return undefined;
};

/** Offers whose time is over, in the order in which they ended. Who misses too many in a row is set away. */
export const expireOffers = (recorder: Recorder): void => {
  const due = openOffers(recorder)
    .filter(({ offer }) => offer.expiresAt <= recorder.receivedAt)
    .sort((a, b) => a.offer.expiresAt - b.offer.expiresAt);
  for (const { task, offer } of due) {
    // An earlier one of this loop may have set the agent away and with it taken this offer back.
    if (!recorder.state.offers.has(offer.reservationId)) continue;
    recorder.record({
      type: 'reservation.expired.v1',
      data: {
        ...namesOf(task),
        reservationId: offer.reservationId,
        agentId: offer.agentId,
        expiredAt: toInstant(offer.expiresAt),
      },
    });
    const agent = recorder.state.agents.get(offer.agentId);
    const limit = recorder.state.policy.awayAfterMissedOffers;
    if (agent?.presence === 'online' && limit !== null && agent.missed >= limit)
      setPresence(recorder, agent.agentId, 'away', 'offers-missed');
  }
};
