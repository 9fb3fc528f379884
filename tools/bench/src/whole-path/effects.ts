// What a round of ours has left on the log, compared id by id with what was sent.
import { decodeEvent, isType, Topics, type EventData, type EventType } from '@centralita/contracts';
import type { EventLog } from '@centralita/event-log';
import { Keyring } from '@centralita/keyring';
import { TENANT } from '../benches/records.js';
import type { Platform } from './platform.js';
import type { Ends } from './standstill.js';
import { STATUSES, type Sent } from './traffic.js';

/** What was done in it; `again`: requests that were made again, of which some may have been recorded before they failed. */
export type Round = {
  readonly inbound: readonly Sent[];
  readonly calls: readonly Sent[];
  readonly conversations: number;
  readonly reads: readonly string[];
  readonly again: number;
};

/** Ids of an event's effect, by type. */
const effects: { readonly [Type in EventType]?: (data: EventData<Type>) => string } = {
  'whatsapp.message.received.v1': ({ messageRef }) => messageRef,
  'whatsapp.status.changed.v1': ({ messageRef, status }) => `${messageRef} ${status}`,
  'conversation.opened.v1': ({ conversationId }) => conversationId,
  'conversation.message.recorded.v1': ({ messageRef }) => messageRef,
  'conversation.reply.requested.v1': ({ replyId }) => replyId,
  'task.assigned.v1': ({ conversationId }) => conversationId,
  'whatsapp.reply.attempted.v1': ({ replyId }) => replyId,
  'whatsapp.reply.accepted.v1': ({ messageRef }) => messageRef,
  'usage.recorded.v1': ({ messageRef }) => messageRef,
  'customer.data.accessed.v1': ({ recordId }) => recordId,
  'audit.leaf.sequenced.v1': ({ recordId, leafKind }) => (leafKind === 'record' ? recordId : ''),
};
const types = Object.keys(effects) as (keyof typeof effects)[];
/** Comes again, as another event, when further evidence arrives. Of the others each has its effect once. */
const revised: EventType = 'usage.recorded.v1';

/** What a round has put on the log, each copy of an event counted. */
export type Written = { readonly records: number; readonly bytes: number };

/** Effects since `before`, by type. An event that stands on the log again, because it was delivered or sent again, counts once. */
const gather = async (log: EventLog, before: Ends): Promise<{ found: Map<EventType, string[]>; written: Written }> => {
  const found = new Map<EventType, string[]>(types.map((type) => [type, []]));
  let [count, bytes] = [0, 0];
  const seen = new Set<string>();
  for (const topic of Topics) {
    const ends = [...(await log.admin.endOffsets(topic))];
    const ranges = ends
      .map(([partition, to]) => ({ topic, partition, from: before.get(`${topic}:${partition}`) ?? 0n, to }))
      .filter(({ from, to }) => to > from);
    if (ranges.length === 0) continue;
    await log.read(ranges, async (records) => {
      for (const { key, value } of records) {
        count += 1;
        bytes += (key?.length ?? 0) + (value?.length ?? 0);
        const decoded = decodeEvent(value);
        if (!('event' in decoded)) throw new Error(`${topic}: ${decoded.detail}`);
        const { event } = decoded;
        if (seen.has(event.id)) continue;
        seen.add(event.id);
        for (const type of types) {
          if (!isType(event, type)) continue;
          const id = (effects[type] as (data: unknown) => string)(event.data);
          if (id !== '') found.get(type)?.push(id);
        }
      }
    });
  }
  return { found, written: { records: count, bytes } };
};

/** Throws unless every message of the round has all its effects, each once. Resolves to what the round has written. */
export const requireEffects = async (
  log: EventLog,
  { databases, keyringMasterKey }: Pick<Platform, 'databases' | 'keyringMasterKey'>,
  before: Ends,
  { inbound, calls, conversations, reads, again }: Round,
): Promise<Written> => {
  const keyring = await Keyring.open({ databaseUrl: databases.keyring.appUrl, masterKey: keyringMasterKey });
  const references = await keyring.references(TENANT).finally(() => keyring.close());
  const refsOf = (sent: readonly Sent[]): string[] =>
    sent.map(({ phoneNumberId, wamid }) => references.messageRef(phoneNumberId, wamid));
  const [received, replied] = [refsOf(inbound), refsOf(calls)];
  const { found, written } = await gather(log, before);
  const problems: string[] = [];
  const expectIds = (type: EventType, expected: readonly string[], room = 0): void => {
    const there = found.get(type) ?? [];
    const distinct = new Set(there);
    const missing = expected.filter((id) => !distinct.has(id)).length;
    const extra = distinct.size - (expected.length - missing);
    const twice = type === revised ? 0 : there.length - distinct.size;
    if (missing + twice > 0 || extra > room)
      problems.push(`${type}: ${missing} missing, ${extra} that nobody sent, ${twice} twice`);
  };
  const expectCount = (type: EventType, expected: number): void => {
    const there = found.get(type) ?? [];
    if (there.length !== expected || new Set(there).size !== expected)
      problems.push(`${type}: ${there.length} of ${new Set(there).size}, not ${expected}`);
  };
  expectIds('whatsapp.message.received.v1', received);
  expectIds('conversation.message.recorded.v1', received);
  expectCount('conversation.opened.v1', conversations);
  expectIds('task.assigned.v1', found.get('conversation.opened.v1') ?? []);
  expectCount('conversation.reply.requested.v1', inbound.length / 2);
  expectIds('whatsapp.reply.attempted.v1', found.get('conversation.reply.requested.v1') ?? []);
  expectCount('whatsapp.reply.accepted.v1', inbound.length / 2);
  expectIds('whatsapp.reply.accepted.v1', replied);
  expectIds(
    'whatsapp.status.changed.v1',
    replied.flatMap((ref) => STATUSES.map((status) => `${ref} ${status}`)),
  );
  expectIds('usage.recorded.v1', replied);
  expectIds('customer.data.accessed.v1', reads, again);
  expectIds('audit.leaf.sequenced.v1', found.get('customer.data.accessed.v1') ?? []);
  if (problems.length > 0) throw new Error(`the round is not complete:\n  ${problems.join('\n  ')}`);
  return written;
};
