import type { InboundEntry } from '@centralita/tool-simulator';
import type { Facts } from './facts.js';
import { Contradictions, groupBy, type Finding } from './finding.js';

const WINDOW_MS = 24 * 3600 * 1000;
/** Edits, revocations and the platform's own notices are nothing that the customer says. */
const silent = new Set(['message:edit', 'message:revoke', 'message:system']);

/**
 * Check 2. Every customer message is in exactly one conversation, and the windows that the platform opened are those of an independent
 * reckoning: the latest message of (number, customer or group) plus 24 hours.
 */
export const checkWindows = (facts: Facts): Finding => {
  const found = new Contradictions();
  const messages = facts.world.inbound.filter((entry) => entry.kind === 'message' && entry.field !== 'message:system');
  const recorded = groupBy(
    facts.of('conversation.events.v1', 'conversation.message.recorded.v1'),
    ({ event }) => event.data.messageRef,
  );
  const opened = new Set(
    facts.of('conversation.events.v1', 'conversation.opened.v1').map(({ event }) => event.data.conversationId),
  );
  for (const entry of messages) {
    const ref = facts.messageRef(entry.phoneNumberId ?? '', entry.wamid ?? '');
    const places = new Set((recorded.get(ref) ?? []).map(({ event }) => event.data.conversationId));
    found.expect(places.size === 1, `message ${ref} (${entry.field}) is in ${places.size} conversations`);
    for (const place of places)
      found.expect(opened.has(place), `message ${ref} is in conversation ${place}, which was never opened`);
  }

  const subjectOf = new Map(
    facts.of('wa.inbound.v1', 'whatsapp.message.received.v1').map((placed) => [placed.event.data.messageRef, placed.key]),
  );
  const line = (entry: InboundEntry): string =>
    `${entry.phoneNumberId}/${subjectOf.get(facts.messageRef(entry.phoneNumberId ?? '', entry.wamid ?? '')) ?? '?'}`;
  const expected = new Map<string, number>();
  for (const entry of messages) {
    if (silent.has(entry.field)) continue;
    const key = line(entry);
    expected.set(key, Math.max(expected.get(key) ?? 0, entry.atSeconds * 1000 + WINDOW_MS));
  }
  const platform = new Map<string, number>();
  const callers = new Set<string>();
  const calls = new Set(facts.of('wa.inbound.v1', 'whatsapp.call.changed.v1').map(({ event }) => event.data.callRef));
  for (const { event } of facts.of('conversation.events.v1', 'conversation.window.opened.v1')) {
    const key = `${event.data.phoneNumberId}/${event.data.subjectId}`;
    if (calls.has(event.data.causeRef)) callers.add(key);
    platform.set(key, Math.max(platform.get(key) ?? 0, Date.parse(event.data.expiresAt)));
  }
  for (const [key, expiresAt] of expected) {
    const found_ = platform.get(key);
    found.expect(
      found_ === expiresAt,
      `the window of ${key} ends ${found_ === undefined ? 'never opened' : new Date(found_).toISOString()}, the reckoning says ${new Date(expiresAt).toISOString()}`,
    );
  }
  // A call opens a window too; a caller who also wrote is compared above, since the messages of the day are later than its calls.
  for (const key of platform.keys())
    found.expect(expected.has(key) || callers.has(key), `the window of ${key} was opened by nobody`);
  const closedBefore = [...expected.values()].filter((expiresAt) => expiresAt < Date.now()).length;
  return {
    figures: { messages: messages.length, conversations: opened.size, windows: expected.size, closedByTime: closedBefore },
    problems: found.list,
  };
};
