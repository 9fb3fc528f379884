import type { InboundEntry } from '@centralita/tool-simulator';
import canonicalize from 'canonicalize';
import type { Facts, Placed } from './facts.js';
import { Contradictions, groupBy, type Finding } from './finding.js';

const arraysOfField: Readonly<Record<string, string>> = {
  calls: 'calls',
  smb_message_echoes: 'message_echoes',
  user_preferences: 'user_preferences',
};

/** The items that one entry of the simulator's journal must have become. */
const itemsOf = (entry: InboundEntry): unknown[] => {
  if (entry.kind !== 'field') return [entry.item];
  const name = arraysOfField[entry.field];
  return name ? (entry.item[name] as unknown[]) : [entry.item];
};

/**
 * Check 1. The distinct items on the log, decrypted, are exactly the items that the simulated world sent; each message has its effect
 * once; messages of one customer stand on the log in the order in which they were sent; bad requests changed nothing.
 */
export const checkInbound = async (facts: Facts): Promise<Finding> => {
  const found = new Contradictions();
  const events = firstOccurrences(facts.all('wa.inbound.v1'));
  const known = events.filter(
    ({ event }) => event.type !== 'whatsapp.unknown.received.v1' || (event.data as { reason: string }).reason === 'unknown_field',
  );
  const opened = await open(facts, known, found);
  const sent = facts.world.inbound.flatMap(itemsOf);
  found.expectSameSet('items', sent.map(text), 'the simulator', opened.map(text), 'the log');
  found.expect(
    opened.length === new Set(opened.map(text)).size,
    `${opened.length - new Set(opened.map(text)).size} items have two events with different ids`,
  );

  const recorded = groupBy(
    facts.of('conversation.events.v1', 'conversation.message.recorded.v1'),
    ({ event }) => event.data.messageRef,
  );
  for (const [ref, list] of recorded) found.expect(list.length === 1, `message ${ref} was recorded ${list.length} times`);

  const place = new Map(
    facts.of('wa.inbound.v1', 'whatsapp.message.received.v1').map((placed) => [placed.event.data.messageRef, placed]),
  );
  let ordered = 0;
  for (const [, bursts] of groupBy(facts.day.sent, (burst) => `${burst.customerId}/${burst.phoneNumberId}`)) {
    let last: Placed | undefined;
    for (const burst of [...bursts].sort((left, right) => left.order - right.order)) {
      const places = burst.wamids.flatMap((wamid) => place.get(facts.messageRef(burst.phoneNumberId, wamid)) ?? []);
      for (const one of places) {
        // A customer's message to a group has the group's key: another line of order.
        if (last && last.key === one.key)
          found.expect(
            one.offset > last.offset,
            `customer ${burst.customerId}: offset ${one.offset} of ${one.partition} comes before ${last.offset}`,
          );
        ordered += 1;
        if (burst.ordered) last = one;
      }
      if (!burst.ordered)
        last = places.reduce<Placed | undefined>((latest, one) => (!latest || one.offset > latest.offset ? one : latest), last);
    }
  }
  for (const bad of facts.day.badRequests)
    found.expect(bad.status === bad.expected, `${bad.what} was answered ${bad.status}, not ${bad.expected}`);
  const quarantined = facts
    .of('wa.inbound.v1', 'whatsapp.unknown.received.v1')
    .filter(({ event }) => event.data.reason !== 'unknown_field');
  const kept = facts.day.badRequests.filter((bad) => bad.expected === 200).length;
  found.expect(quarantined.length === kept, `${quarantined.length} bodies are in quarantine, ${kept} were sent`);
  for (const { topic, partition, offset, why, givenUp } of facts.unreadable)
    found.expect(givenUp, `${topic}/${partition}/${offset}: ${why}`);
  return {
    figures: {
      items: sent.length,
      records: facts.all('wa.inbound.v1').length,
      redelivered: facts.all('wa.inbound.v1').length - events.length,
      recordedMessages: recorded.size,
      inOrder: ordered,
      quarantined: quarantined.length,
    },
    problems: found.list,
  };
};

const text = (item: unknown): string => canonicalize(item) ?? '';

const firstOccurrences = (events: readonly Placed[]): Placed[] => {
  const seen = new Set<string>();
  return events.filter(({ event }) => !seen.has(event.id) && seen.add(event.id));
};

/** Decrypts the item of each event with the keys of the subjects. */
const open = async (facts: Facts, events: readonly Placed[], found: Contradictions): Promise<unknown[]> => {
  const items: unknown[] = [];
  for (const [tenantId, ofTenant] of groupBy(events, ({ event }) => event.tenantid)) {
    const sealed = ofTenant.flatMap(
      ({ event }) =>
        (event.data as { sealed: Parameters<Awaited<ReturnType<typeof facts.keyring.sealer>>['open']>[0] | null }).sealed ?? [],
    );
    const keys = await facts.keyring.sealer(tenantId, [...new Set(sealed.map((one) => one.subject))]);
    for (const one of sealed) {
      const result = keys.open(one);
      found.expect(result.state === 'open', `envelope ${one.id} cannot be opened`);
      if (result.state === 'open') items.push((result.value as { item: unknown }).item);
    }
  }
  return items;
};
