import type { AccessRecord } from '@centralita/contracts';
import type { Facts, Target } from './facts.js';

export type Verified = 'confirmed' | 'unverifiable' | 'contradicted';
export type Verdict = { readonly verified: Verified; readonly basis: readonly string[] };

/** Clocks of two services may differ by this much. */
const SKEW_MS = 5_000;
/** An agent may still see a conversation for so long after it has left them. */
const GRACE_MS = 60_000;
/** Events on which a verdict stands, at most: room that each leaf must have. */
export const LONGEST_BASIS = 16;

const unverifiable: Verdict = { verified: 'unverifiable', basis: [] };

const inForce = (fact: { from: number; until: number | null }, at: number): boolean =>
  fact.from <= at + SKEW_MS && (fact.until === null || fact.until + GRACE_MS >= at);

/** The facts of a history that held at some time around `at`: each holds until the next begins. */
const around = <Fact extends { readonly since: number }>(history: readonly Fact[], at: number): Fact[] =>
  history.filter((fact, position) => inForce({ from: fact.since, until: history[position + 1]?.since ?? null }, at));

/** An assignment of this conversation, or of one of this customer, to the actor, in force at the time of the record. */
const assigned = (facts: Facts, agentId: string, target: Target, at: number): Verdict => {
  const known = facts.assignments(target);
  // Of a conversation there is always a decision; of a customer whom nobody heard yet there need not be any.
  if (target.conversationId === null && known.length === 0 && facts.queues(target).length === 0) return unverifiable;
  const own = known.filter((each) => each.agentId === agentId);
  const confirming = own.find((each) => inForce(each, at));
  if (confirming) return { verified: 'confirmed', basis: [confirming.assignedEvent] };
  const ended = own.map((each) => each.endedEvent).filter((event) => event !== null);
  const others = known.filter((each) => each.agentId !== agentId && inForce(each, at)).map((each) => each.assignedEvent);
  return { verified: 'contradicted', basis: [...ended.slice(-1), ...others.slice(-1)] };
};

/** The queue that owns the conversation is one of the agent's. Without a queue or a definition of the agent nothing can be said. */
const inOwnQueue = (facts: Facts, agentId: string, target: Target, at: number): Verdict => {
  const agents = around(facts.agent(agentId), at);
  const queues = facts
    .queues(target)
    .flatMap((history) => around(history, at))
    .filter(({ queueId }) => queueId !== null);
  if (agents.length === 0 || queues.length === 0) return unverifiable;
  for (const queue of queues)
    for (const agent of agents)
      if (agent.queueIds.includes(queue.queueId ?? '')) return { verified: 'confirmed', basis: [agent.eventId, queue.eventId] };
  return { verified: 'contradicted', basis: [...agents.slice(-1), ...queues.slice(-1)].map((each) => each.eventId) };
};

const rules: Partial<Record<AccessRecord['reason']['code'], typeof assigned>> = {
  ASSIGNED_CONVERSATION: assigned,
  QUEUE_TRIAGE: inOwnQueue,
};

/** The verdict on a record, and, for a list, on each of its subjects. */
export type RecordVerdict = Verdict & { readonly bySubject: ReadonlyMap<string, Verdict> };

/** Reasons whose truth the facts can change: only these are worth waiting for. */
export const isVerifiable = (record: AccessRecord): boolean =>
  rules[record.reason.code] !== undefined && record.subjects.length > 0;

/** A list or a media names none. */
export const namesConversation = ({ resource }: AccessRecord): boolean => resource.type === 'conversation';

/**
 * Checks the stated reason of a record against what routing had decided when it occurred (audit reference 13). Whoever may see a
 * conversation may see all who wrote in it, so a record of a conversation is judged by that conversation, whoever its subjects are: in a
 * group they are its participants. A list is judged by customer, by the conversations that they have written in: contradicted when any of
 * them is, confirmed when all are. What is parked contradicts nobody, nor does what is missing: `complete` says whether all is known that
 * was decided before the record came. Reasons without a rule, and records that show nobody, are unverifiable.
 */
export const verifyReason = (record: AccessRecord, facts: Facts, complete: boolean): RecordVerdict => {
  const rule = rules[record.reason.code];
  if (!rule || record.subjects.length === 0) return { ...unverifiable, bySubject: new Map() };
  const at = Date.parse(record.occurredAt);
  const conversationId = namesConversation(record) ? record.resource.id : null;
  const verdict = (subject: string): Verdict => {
    const target = { conversationId, subject };
    const found = rule(facts, record.actor.id, target, at);
    // The decision that allowed the look may be among those that are not here yet or wait for an operator, and a leaf is for ever.
    return found.verified === 'contradicted' && (!complete || facts.incomplete(target)) ? unverifiable : found;
  };
  const bySubject = new Map(record.subjects.map((subject) => [subject, verdict(subject)]));
  const all = [...bySubject.values()];
  const verified = all.some((each) => each.verified === 'contradicted')
    ? 'contradicted'
    : all.every((each) => each.verified === 'confirmed')
      ? 'confirmed'
      : 'unverifiable';
  const deciding = all.filter((each) => each.verified === verified);
  return { verified, basis: [...new Set(deciding.flatMap((each) => each.basis))].slice(0, LONGEST_BASIS), bySubject };
};
