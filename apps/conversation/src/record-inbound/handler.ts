import { isType, type CloudEvent } from '@centralita/contracts';
import {
  decideInbound,
  effectiveTime,
  evolveLine,
  noWindow,
  placeInThread,
  type InboundFact,
  type LineState,
} from '@centralita/domain-conversation';
import { OnEvents, type ConsumedEvent, type EventBatch } from '@centralita/event-log';
import { inOneTrip, type Tx } from '@centralita/event-store';
import { Controller } from '@nestjs/common';
import { laneOf } from '../feed/reply-pointers.js';
import { contactIdOf, conversationIdOf } from '../ids.js';
import { caseOf } from '../inbox/projection.js';
import { loadLines, lineKey, type Known, type LineKey, type LoadedLine } from '../record/load.js';
import { lockSubjects } from '../record/lock.js';
import { Recorder, type Pending } from '../record/recorder.js';
import { addRows } from '../record/rows.js';
import { eventLine } from '../thread/projection.js';
import { applyStatuses, type ConsumedStatus } from '../track-replies/statuses.js';

const factOf = (event: CloudEvent): InboundFact | null => {
  if (isType(event, 'whatsapp.message.received.v1')) return { type: event.type, data: event.data };
  if (isType(event, 'whatsapp.call.changed.v1')) return { type: event.type, data: event.data };
  if (isType(event, 'whatsapp.echo.received.v1')) return { type: event.type, data: event.data };
  return null;
};

const refOf = (fact: InboundFact): string =>
  fact.type === 'whatsapp.call.changed.v1' ? `call:${fact.data.callRef}` : fact.data.messageRef;

/** References of items that are in a conversation already. The inbox knows equal items; this knows other bytes about the same message. */
const knownRefs = async (tx: Tx, facts: readonly InboundFact[]): Promise<Set<string>> => {
  const rows = await tx.query<{ ref: string }>(
    `select case when message_type = 'call' then 'call:' || message_ref else message_ref end as ref
     from thread_item where tenant_id = $1 and message_ref = any ($2)`,
    [tx.tenantId, facts.map((fact) => refOf(fact).replace('call:', ''))],
  );
  return new Set(rows.map(({ ref }) => ref));
};

const knownIn = (lines: ReadonlyMap<string, LoadedLine>): Known => ({
  conversations: new Map(
    [...lines.values()].flatMap(({ latest }) => (latest ? [[latest.conversation_id, latest] as const] : [])),
  ),
  windows: new Map([...lines].map(([key, { window }]) => [key, window])),
});

/** What customers, and the business's own phones, did: into cases, windows and threads. */
@Controller()
export class RecordInbound {
  constructor(private readonly recorder: Recorder) {}

  /**
   * A batch in five steps: 1. lock its subjects; 2. load their lines in one query; 3. decide item by item in offset order, each on
   * the state that the one before it left; 4. append and project in one call; 5. fold the statuses and point at what they changed.
   */
  @OnEvents('wa.inbound.v1', {
    handles: [
      'whatsapp.message.received.v1',
      'whatsapp.status.changed.v1',
      'whatsapp.call.changed.v1',
      'whatsapp.echo.received.v1',
      'whatsapp.identity.changed.v1',
    ],
    ignores: ['whatsapp.preference.changed.v1', 'whatsapp.account.changed.v1', 'whatsapp.unknown.received.v1'],
  })
  async handle(batch: EventBatch): Promise<void> {
    const tx = batch.tx as Tx;
    const contacts = await lockSubjects(
      tx,
      batch.events.map(({ key }) => key),
    );
    await this.#recordItems(tx, batch.events, contacts);
    await applyStatuses(
      tx,
      laneOf(batch),
      batch.events.filter((consumed): consumed is ConsumedStatus => isType(consumed.event, 'whatsapp.status.changed.v1')),
    );
  }

  async #recordItems(tx: Tx, events: readonly ConsumedEvent[], contacts: Map<string, string>): Promise<void> {
    const items = events.flatMap((consumed) => {
      const fact = factOf(consumed.event);
      return fact ? [{ consumed, fact, line: { phoneNumberId: fact.data.phoneNumberId, subjectId: consumed.key } }] : [];
    });
    const rotations = events.flatMap(({ event, key }) =>
      isType(event, 'whatsapp.identity.changed.v1')
        ? [{ event, line: { phoneNumberId: event.data.phoneNumberId, subjectId: key } }]
        : [],
    );
    if (items.length + rotations.length === 0) return;
    const loaded = await loadLines(
      tx,
      [...items, ...rotations].map(({ line }) => line),
    );
    const lines = new Map<string, { state: LineState; versions: Map<string, number> }>();
    const lineOf = (key: LineKey): { state: LineState; versions: Map<string, number> } => {
      const known = lines.get(lineKey(key));
      if (known) return known;
      const stored = loaded.get(lineKey(key));
      const latest = stored?.latest ?? null;
      const line = {
        state: { contactId: null, latest: latest && caseOf(latest), window: stored?.window ?? noWindow },
        versions: new Map(latest === null ? [] : [[latest.conversation_id, latest.stream_version]]),
      };
      lines.set(lineKey(key), line);
      return line;
    };

    const seen = await knownRefs(
      tx,
      items.map(({ fact }) => fact),
    );
    const pending: Pending[] = [];
    for (const { consumed, fact, line: key } of items) {
      const line = lineOf(key);
      // What is recorded once is done; the other webhooks of a call only move the window, which does not mind repetition.
      if (seen.has(refOf(fact))) continue;
      const { event, topic, partition, offset } = consumed;
      const decided = decideInbound(
        { ...line.state, contactId: contacts.get(key.subjectId) ?? null },
        {
          fact,
          subjectId: key.subjectId,
          recordedTime: event.recordedtime,
          ids: {
            contactId: contactIdOf(tx.tenantId, key.subjectId),
            conversationId: (ordinal) => conversationIdOf(tx.tenantId, key.phoneNumberId, key.subjectId, ordinal),
          },
        },
      );
      line.state = decided.reduce(evolveLine, line.state);
      for (const own of decided) {
        if (own.type === 'contact.identified.v1') contacts.set(own.data.subjectId, own.data.contactId);
        if (own.type === 'conversation.message.recorded.v1') seen.add(refOf(fact));
        pending.push({
          event: own,
          caseVersion: 'conversationId' in own.data ? (line.versions.get(own.data.conversationId) ?? 0) : 0,
          correlationId: event.correlationid,
          causationId: event.id,
          cause: { topic, partition, offset: offset.toString() },
        });
      }
    }
    await this.recorder.record(tx, pending, knownIn(loaded));
    const turned = addRows(
      'thread_item',
      rotations.flatMap(({ event, line }) => {
        const { latest } = lineOf(line).state;
        const at = effectiveTime(event.data.providerTime, event.recordedtime);
        return latest
          ? [
              eventLine({
                conversationId: latest.conversationId,
                id: event.id,
                at,
                placedAt: placeInThread({ origin: 'provider', at, recordedAt: event.recordedtime }, null),
                position: 0,
                type: 'identity_changed',
                agentId: null,
              }),
            ]
          : [];
      }),
    );
    inOneTrip(tx, turned);
  }
}
