import { isType, Leaf, type AccessRecord, type CloudEvent } from '@centralita/contracts';
import { replayDecisions, type RoutingEvent } from '@centralita/domain-routing';
import type { History } from '@centralita/testing-kit';
import type { Delivery } from '@centralita/tool-simulator';
import type { Facts, Placed } from '@centralita/tool-start';
import { isEvidence } from './parked.js';

type Section<Name extends keyof History> = History[Name];

/** What the phones and the provider delivered, and how each delivery ended. The log says under which key a fact lies. */
export const operationsOf = (deliveries: readonly Delivery[], keyOf: ReadonlyMap<string, string>): Section<'operations'> =>
  deliveries
    .filter((delivery) => delivery.facts.length > 0)
    .map((delivery) => ({
      client: delivery.app,
      facts: delivery.facts.map((fact) => ({ fact, key: keyOf.get(fact) ?? 'not on the log' })),
      invoked: Date.parse(delivery.from),
      ended: Date.parse(delivery.at),
      outcome: delivery.status === 200 ? 'ok' : delivery.status >= 400 && delivery.status < 500 ? 'fail' : 'unknown',
    }));

/** Pairs of an event and the one event that each service must make of it. */
export const effectsOf = (facts: Facts): Pick<History, 'due' | 'effects'> => {
  const [due, effects]: [Section<'due'>, Section<'effects'>] = [[], []];
  const sequence = ({ event }: Placed): number => Date.parse(event.recordedtime);
  const owe = (service: string, causes: Iterable<string>): void => {
    for (const cause of causes) due.push({ service, cause });
  };
  const note = (service: string, placed: Placed, cause: string): void => {
    effects.push({ service, cause, key: placed.key, sequence: sequence(placed) });
  };

  const silent = new Set(['system', 'edit', 'revoke', 'reaction']);
  for (const placed of facts.of('conversation.events.v1', 'conversation.message.recorded.v1'))
    note('conversation', placed, placed.event.data.messageRef);
  owe(
    'conversation',
    facts
      .of('wa.inbound.v1', 'whatsapp.message.received.v1')
      .filter(({ event }) => !silent.has(event.data.messageType))
      .map(({ event }) => event.data.messageRef),
  );

  for (const placed of facts.of('wa.outbound.v1', 'whatsapp.reply.attempted.v1'))
    note('sender', placed, placed.event.data.sendId);
  owe(
    'sender',
    facts.of('conversation.events.v1', 'conversation.reply.requested.v1').map(({ event }) => event.data.sendId),
  );
  const answers = [
    ...facts.of('wa.outbound.v1', 'whatsapp.reply.accepted.v1'),
    ...facts.of('wa.outbound.v1', 'whatsapp.reply.refused.v1'),
  ];
  const doubts = facts.of('wa.outbound.v1', 'whatsapp.reply.unresolved.v1');
  for (const placed of answers) note('sender outcome', placed, placed.event.data.sendId);
  for (const placed of doubts) note('sender giving up', placed, placed.event.data.sendId);
  const answeredAt = new Map(answers.map((placed) => [placed.event.data.sendId, sequence(placed)]));
  for (const placed of doubts) {
    // What was given up may still be proven by a late status. Given up afterwards, or never proven, it is the outcome.
    const answered = answeredAt.get(placed.event.data.sendId);
    if (answered === undefined || answered < sequence(placed)) note('sender outcome', placed, placed.event.data.sendId);
  }
  owe(
    'sender outcome',
    facts.of('wa.outbound.v1', 'whatsapp.reply.attempted.v1').map(({ event }) => event.data.sendId),
  );

  for (const placed of facts.of('billing.events.v1', 'usage.recorded.v1'))
    note('billing', placed, `${placed.event.data.usageId} revision ${placed.event.data.revision}`);

  for (const placed of facts.of('audit.sequenced.v1', 'audit.leaf.sequenced.v1'))
    if (placed.event.data.leafKind === 'record') note('audit-log', placed, placed.event.data.recordId);
  owe(
    'audit-log',
    facts.all('access.events.v1').map(({ event }) => (event.data as AccessRecord).recordId),
  );
  return { due: unique(due), effects };
};

const unique = (due: Section<'due'>): Section<'due'> => [
  ...new Map(due.map((one) => [`${one.service} ${one.cause}`, one])).values(),
];

/** Replies with the address that they answer, as the customer's phone knows it, and the calls that reached the provider. */
export const repliesOf = (facts: Facts): Pick<History, 'replies' | 'calls'> => {
  const attempts = new Map(
    facts
      .of('wa.outbound.v1', 'whatsapp.reply.attempted.v1')
      .map(({ event }) => [event.data.sendId, Date.parse(event.recordedtime)]),
  );
  const opened = new Map(
    facts.of('conversation.events.v1', 'conversation.opened.v1').map(({ event }) => [event.data.conversationId, event.data]),
  );
  const customers = new Map(facts.day.plan.customers.map((customer) => [customer.id, customer]));
  const openers = facts.openers();
  const addressOf = (conversationId: string): string => {
    const entry = openers.get(opened.get(conversationId)?.openedBy ?? '');
    const customer = customers.get(entry?.customerId ?? '');
    return entry?.groupId ?? customer?.phone ?? customer?.bsuid ?? 'nobody who wrote';
  };
  return {
    replies: facts.of('conversation.events.v1', 'conversation.reply.requested.v1').map(({ event: { data } }) => ({
      sendId: data.sendId,
      answers: addressOf(data.conversationId),
      sendBefore: Date.parse(data.sendBefore),
      attemptedAt: attempts.get(data.sendId) ?? null,
    })),
    calls: facts.world.calls.map((call) => ({
      sendId: call.sendId ?? `a call without send id, ${call.wamid.length} characters`,
      to: call.to ?? call.recipient ?? 'nobody',
      at: Date.parse(call.at),
    })),
  };
};

/** A status names our send, or the message by a reference that one send was accepted under. */
export const statusesOf = (facts: Facts): Section<'statuses'> => {
  const byRef = Map.groupBy(facts.of('wa.outbound.v1', 'whatsapp.reply.accepted.v1'), ({ event }) => event.data.messageRef);
  const requested = new Set(
    facts.of('conversation.events.v1', 'conversation.reply.requested.v1').map(({ event }) => event.data.sendId),
  );
  return facts.of('wa.inbound.v1', 'whatsapp.status.changed.v1').map(({ event: { id, data } }) => {
    const named = data.sendId !== null && requested.has(data.sendId) ? [data.sendId] : [];
    const known = byRef.get(data.messageRef)?.map(({ event }) => event.data.sendId) ?? [];
    const sends = [...new Set([...named, ...known])];
    return { id, sends, itemised: sends.length === 0 };
  });
};

/** Each routing domain replayed by its recorded positions, and its decisions decided again. */
export const routingOf = (facts: Facts): Pick<History, 'routing' | 'decisions'> => {
  const [routing, decisions]: [Section<'routing'>, Section<'decisions'>] = [[], []];
  const byTenant = Map.groupBy(facts.all('routing.events.v1'), ({ event }) => event.tenantid);
  for (const [domain, placed] of byTenant) {
    const [first, holders] = [new Map<string, CloudEvent>(), new Map<string, string>()];
    for (const { event } of placed) if (event.domainseq !== undefined && !first.has(event.id)) first.set(event.id, event);
    const events = [...first.values()].sort((left, right) => Number(left.domainseq) - Number(right.domainseq));
    for (const event of events) {
      const step = stepOf(event, holders);
      if (step) routing.push({ domain, position: Number(event.domainseq), capacity: null, task: null, ...step });
    }
    const { contradictions } = replayDecisions(events as unknown as RoutingEvent[]);
    const wrong = new Map(contradictions.map(({ position, what }) => [position, what]));
    for (const event of events)
      if (isType(event, 'routing.decided.v1') || isType(event, 'reservation.offered.v1')) {
        const position = Number(event.domainseq);
        decisions.push({ domain, position, recorded: 'as recorded', redecided: wrong.get(position) ?? 'as recorded' });
      }
  }
  return { routing, decisions };
};

type Step = Pick<Section<'routing'>[number], 'kind' | 'agent'> & Partial<Section<'routing'>[number]>;

/** `holders` says who was offered each task last: the events that end an assignment do not name the agent. */
const stepOf = (event: CloudEvent, holders: Map<string, string>): Step | null => {
  if (isType(event, 'agent.defined.v1') || isType(event, 'agent.capacity.changed.v1'))
    return { kind: 'capacity', agent: event.data.agentId, capacity: event.data.capacity };
  if (isType(event, 'reservation.offered.v1')) {
    holders.set(event.data.taskId, event.data.agentId);
    return { kind: 'offered', agent: event.data.agentId, task: event.data.taskId };
  }
  if (isType(event, 'task.assigned.v1')) return { kind: 'assigned', agent: event.data.agentId, task: event.data.taskId };
  if (
    isType(event, 'reservation.declined.v1') ||
    isType(event, 'reservation.expired.v1') ||
    isType(event, 'reservation.rescinded.v1')
  )
    return { kind: 'released', agent: event.data.agentId, task: event.data.taskId };
  if (isType(event, 'task.transferred.v1') || isType(event, 'task.released.v1') || isType(event, 'task.completed.v1')) {
    const agent = holders.get(event.data.taskId);
    return agent === undefined ? null : { kind: 'released', agent, task: event.data.taskId };
  }
  return null;
};

/** Evidence of delivery on the log, and what billing made of it. */
export const ratingsOf = (facts: Facts): Pick<History, 'evidences' | 'ratings'> => {
  const evidences = new Set<string>();
  for (const { event } of facts.of('wa.inbound.v1', 'whatsapp.status.changed.v1'))
    if (isEvidence(event.data.status)) evidences.add(`${event.tenantid}/${event.data.messageRef}/${event.data.participant}`);
  const latest = new Map<string, { revision: number; state: 'charged' | 'free' | 'suspense' }>();
  for (const { event } of facts.of('billing.events.v1', 'usage.recorded.v1')) {
    const id = `${event.tenantid}/${event.data.messageRef}/${event.data.participant}`;
    if ((latest.get(id)?.revision ?? 0) < event.data.revision) latest.set(id, event.data);
  }
  return {
    evidences: [...evidences],
    ratings: [...latest].map(([evidence, { state }]) => ({ evidence, as: state === 'charged' ? 'rated' : state })),
  };
};

/** What clients were shown, what services recorded, and what stands in the ledger. */
export const disclosuresOf = (
  facts: Facts,
): Pick<History, 'disclosures' | 'accessRecords' | 'leaves' | 'ledgers' | 'checkpoints' | 'numbers'> => {
  const records = new Map(
    facts
      .all('access.events.v1')
      .map(({ event }) => [(event.data as AccessRecord).recordId, { event, data: event.data as AccessRecord }]),
  );
  const seen = new Set(facts.day.exchanges.flatMap((exchange) => exchange.accessRecord ?? []));
  const sequenced = facts
    .of('audit.sequenced.v1', 'audit.leaf.sequenced.v1')
    .map(({ event }) => ({ data: event.data, tenant: event.tenantid, leaf: Leaf.parse(JSON.parse(event.data.leaf)) }))
    .sort((left, right) => Number(left.data.leafIndex) - Number(right.data.leafIndex));
  const byLedger = Map.groupBy(sequenced, ({ data }) => data.logId);
  return {
    // A record without a response: the answer was on its way when somebody died. It counts as shown, and denials are shown to nobody.
    disclosures: [...new Set([...seen, ...records.keys()])],
    accessRecords: [...records].map(([id, { data }]) => ({ id, entries: data.manifest === null ? 0 : data.subjects.length })),
    leaves: sequenced.map(({ data }) => ({ record: data.recordId, kind: data.leafKind === 'record' ? 'record' : 'entry' })),
    ledgers: [...byLedger].map(([ledger, leaves]) => ({ ledger, leaves: leaves.map(({ data }) => data.leafHash) })),
    checkpoints: facts.of('audit.checkpoints.v1', 'audit.checkpoint.published.v1').map(({ event }) => ({
      ledger: event.data.logId,
      size: Number(event.data.size),
      root: event.data.root,
      rebuilt: false,
    })),
    numbers: sequenced.flatMap(({ data, tenant, leaf }) => [
      ...(data.leafKind === 'record' ? [{ scope: `source ${tenant} ${data.source}`, number: Number(data.sourceNumber) }] : []),
      ...(leaf.subject !== null && leaf.subjectSeq !== null
        ? [{ scope: `subject ${tenant} ${leaf.subject}`, number: leaf.subjectSeq }]
        : []),
    ]),
  };
};
