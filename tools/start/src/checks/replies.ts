import type { Contacted, Facts } from './facts.js';
import { Contradictions, groupBy, type Finding } from './finding.js';

/**
 * Check 4. What agents' screens saw accepted was called exactly once, at the address of the customer who wrote; what was refused carries
 * its code and was never called; no call without an attempt on the log before it.
 */
export const checkReplies = (facts: Facts): Finding => {
  const found = new Contradictions();
  const attempts = facts.day.agents.flatMap((agent) => agent.replies);
  const accepted = attempts.filter((reply) => reply.replyId !== null);
  const refused = attempts.filter((reply) => reply.replyId === null);
  const requested = new Map(
    facts.of('conversation.events.v1', 'conversation.reply.requested.v1').map(({ event }) => [event.data.replyId, event]),
  );
  const opened = new Map(
    facts.of('conversation.events.v1', 'conversation.opened.v1').map(({ event }) => [event.data.conversationId, event.data]),
  );
  const sentTries = groupBy(facts.of('wa.outbound.v1', 'whatsapp.reply.attempted.v1'), ({ event }) => event.data.sendId);
  const unresolved = new Set(facts.of('wa.outbound.v1', 'whatsapp.reply.unresolved.v1').map(({ event }) => event.data.sendId));
  const calls = groupBy(facts.world.calls, (call) => call.sendId ?? '');
  const refusedCalls = groupBy(facts.world.refusedCalls, (call) => call.sendId ?? '');

  found.expectSameSet(
    'replies',
    accepted.map((reply) => reply.replyId ?? ''),
    "agents' screens",
    requested.keys(),
    'the log',
  );
  const openers = facts.openers();
  for (const reply of accepted) {
    const request = requested.get(reply.replyId ?? '');
    if (!request) continue;
    const { sendId } = request.data;
    const made = calls.get(sendId) ?? [];
    const tries = made.length + (refusedCalls.get(sendId)?.length ?? 0);
    // A sender that died between attempt and call: the agent is told that the fate is unknown, and nobody calls again.
    const mayBeUncalled = tries === 0 && unresolved.has(sendId);
    found.expect(tries === 1 || mayBeUncalled, `reply ${reply.replyId} was called ${tries} times`);
    found.expect(
      (sentTries.get(sendId)?.length ?? 0) === 1,
      `reply ${reply.replyId} has ${sentTries.get(sendId)?.length ?? 0} attempts on the log`,
    );
    const [call] = made;
    if (!call) continue;
    found.expect(call.type === reply.kind, `reply ${reply.replyId} went out as ${call.type}`);
    if (reply.kind === 'text') found.expect(call.text === reply.text, `reply ${reply.replyId} went out with another text`);
    found.expect(
      addressed(facts, openers.get(opened.get(reply.conversationId)?.openedBy ?? ''), call),
      `reply ${reply.replyId} went to another address than it answers`,
    );
  }
  for (const reply of refused)
    found.expect(
      ['WINDOW_CLOSED', 'WINDOW_NEVER_OPENED'].includes(reply.refusedWith ?? ''),
      `a reply was refused with ${reply.refusedWith}`,
    );
  const texts = new Set(facts.world.calls.map((call) => call.text));
  for (const reply of refused) found.expect(!texts.has(reply.text), 'a refused reply reached the provider');
  for (const call of facts.world.calls)
    found.expect(call.sendId !== null && sentTries.has(call.sendId), 'the provider was called without an attempt on the log');
  const outside = facts.day.plan.scripts.filter((script) =>
    script.bursts.every((burst) => burst.messages.every((message) => message.ageSeconds > 24 * 3600)),
  );
  return {
    figures: {
      replies: accepted.length,
      refusedOutsideWindow: refused.length,
      providerCalls: facts.world.calls.length,
      refusedByProvider: facts.world.refusedCalls.length,
      silentCustomers: outside.length,
      surprises: facts.day.agents.reduce((total, agent) => total + agent.surprises.length, 0),
    },
    problems: found.list,
  };
};

/** From the number that was written to or called, to the phone or BSUID of whoever opened the conversation, or to their group. */
const addressed = (facts: Facts, opener: Contacted | undefined, call: Facts['world']['calls'][number]): boolean => {
  const customer = facts.day.plan.customers.find((candidate) => candidate.id === opener?.customerId);
  if (opener?.phoneNumberId !== call.phoneNumberId || !customer) return false;
  if (opener.groupId) return call.group && call.to === opener.groupId;
  return (
    !call.group &&
    ((call.to !== null && call.to === customer.phone) ||
      (call.to === null && call.recipient !== null && call.recipient === customer.bsuid))
  );
};
