import { createHash } from 'node:crypto';
import type { Invariant } from './examination.js';
import { History } from './history.js';

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
const node = (left: string, right: string): string =>
  createHash('sha256')
    .update(Buffer.from([1]))
    .update(Buffer.from(left, 'hex'))
    .update(Buffer.from(right, 'hex'))
    .digest('hex');

/** A small platform on which all went well: `customers` write twice each, are answered, billed, read and proven. */
export const soundHistory = (seed: number, customers: number): History => {
  const people = Array.from({ length: customers }, (_, index) => index);
  const tenant = 'tenant-a';
  const noRecord = { tenant, stream: null, streamVersion: null, cause: null, fact: null, identity: null, readable: null };
  const inbound = people.flatMap((person) =>
    [0, 1].map((turn) => ({
      ...noRecord,
      topic: 'inbound',
      partition: 0,
      offset: 2 * person + turn,
      key: `subject-${person}`,
      id: `inbound-${person}-${turn}`,
      type: 'message.received',
      content: hash(`message ${person} ${turn}`),
      keyVersion: null,
      fact: `fact-${person}-${turn}`,
      identity: `bsuid-${person}`,
      subject: `subject-${person}`,
      recordedAt: 1000 + 20 * person + 10 * turn,
      readable: true,
    })),
  );
  const stored = inbound.map((record, index) => ({
    ...noRecord,
    topic: 'conversations',
    partition: 1,
    offset: index,
    key: record.key,
    id: `recorded-${index}`,
    type: 'message.recorded',
    content: hash(`recorded ${index}`),
    keyVersion: (index % 2) + 1,
    stream: `conversation-${record.key}`,
    streamVersion: (index % 2) + 1,
    cause: { topic: 'inbound', partition: 0, offset: index },
    subject: record.subject,
    recordedAt: record.recordedAt + 1,
    readable: true,
  }));
  const leaves = people.map((person) => hash(`leaf ${person}`));
  const roots = [
    leaves[0] ?? '',
    node(leaves[0] ?? '', leaves[1] ?? ''),
    node(node(leaves[0] ?? '', leaves[1] ?? ''), leaves[2] ?? ''),
  ];
  return History.parse({
    scenario: 'a sound small day',
    seed,
    inboundTopic: 'inbound',
    operations: inbound.map((record) => ({
      client: 'phone',
      facts: [{ fact: record.fact, key: record.key }],
      invoked: record.recordedAt - 1,
      ended: record.recordedAt + 1,
      outcome: 'ok',
    })),
    records: [...inbound, ...stored],
    applications: inbound.map((_, index) => ({
      service: 'conversation',
      topic: 'inbound',
      partition: 0,
      from: index,
      to: index + 1,
    })),
    leasedWrites: people.map((person) => ({ scope: 'routing', position: person + 1, epoch: person < 2 ? 1 : 2 })),
    due: inbound.map(({ id }) => ({ service: 'conversation', cause: id })),
    effects: inbound.map(({ id, key }, sequence) => ({ service: 'conversation', cause: id, key, sequence })),
    parkings: [{ service: 'conversation', key: 'subject-0', from: 2 * customers, to: null }],
    replies: people.map((person) => ({
      sendId: `send-${person}`,
      answers: `address-${person}`,
      sendBefore: 5000,
      attemptedAt: 2000,
    })),
    calls: people.map((person) => ({ sendId: `send-${person}`, to: `address-${person}`, at: 2001 })),
    statuses: [
      ...people.map((person) => ({ id: `status-${person}`, sends: [`send-${person}`], itemised: false })),
      { id: 'status of nobody', sends: [], itemised: true },
    ],
    routing: people.flatMap((person) => {
      const of = { domain: tenant, agent: `agent-${person}`, capacity: null };
      return [
        { ...of, position: 5 * person + 1, kind: 'capacity', task: null, capacity: 1 },
        { ...of, position: 5 * person + 2, kind: 'offered', task: `task-${person}` },
        { ...of, position: 5 * person + 3, kind: 'assigned', task: `task-${person}` },
        { ...of, position: 5 * person + 4, kind: 'released', task: `task-${person}` },
        { ...of, position: 5 * person + 5, kind: 'offered', task: `task again-${person}` },
      ];
    }),
    decisions: people.map((person) => ({ domain: tenant, position: person, recorded: `d${person}`, redecided: `d${person}` })),
    evidences: people.map((person) => `evidence-${person}`),
    ratings: people.map((person) => ({ evidence: `evidence-${person}`, as: person % 2 ? 'rated' : 'free' })),
    invoices: ['as it was', 'shuffled', 'after an erasure'].map((circumstances) => ({
      invoice: 'october',
      circumstances,
      digest: hash('october'),
    })),
    periods: [
      {
        period: 'october',
        digests: [hash('closed'), hash('closed')],
        included: ['usage-0'],
        items: [
          { id: 'usage-0', late: false },
          { id: 'usage-1', late: true },
        ],
      },
    ],
    disclosures: people.map((person) => `record-${person}`),
    accessRecords: people.map((person) => ({ id: `record-${person}`, entries: person })),
    leaves: people.flatMap((person) => [
      { record: `record-${person}`, kind: 'record' },
      ...Array.from({ length: person }, () => ({ record: `record-${person}`, kind: 'entry' })),
    ]),
    ledgers: [{ ledger: tenant, leaves: leaves.slice(0, 3) }],
    checkpoints: roots.flatMap((root, index) =>
      [false, true].map((rebuilt) => ({ ledger: tenant, size: index + 1, root, rebuilt })),
    ),
    numbers: people.flatMap((person) => [1, 2, 3].map((number) => ({ scope: `subject-${person}`, number }))),
    erasures: [{ subject: 'subject-gone', at: 3000 }],
    readings: [
      { subject: 'subject-gone', at: 2999, readable: true },
      { subject: 'subject-gone', at: 3001, readable: false },
    ],
    belongings: people.map((person) => ({ what: `row-${person}`, owner: tenant, under: tenant })),
    replays: ['here', 'there'].map(() => ({ manifest: 'all of it', digest: hash('all of it') })),
    tamperings: [{ record: 'inbound/0/0', named: 'inbound/0/0' }],
    tokenReads: people.map((person) => ({ topic: 'conversations', key: `subject-${person}`, version: 2, saw: 2 })),
  });
};

/** One way of spoiling a sound history, with the invariant that it breaks. Works on a copy; `pick` chooses a victim of a list. */
export type Spoil = {
  readonly invariant: Invariant;
  readonly what: string;
  readonly spoil: (history: History, pick: <Item>(list: readonly Item[]) => Item) => void;
};

const remove = <Item>(list: Item[], item: Item): void => void list.splice(list.indexOf(item), 1);

const inboundOf = (history: History): History['records'] => history.records.filter(({ topic }) => topic === 'inbound');
const storedOf = (history: History): History['records'] => history.records.filter(({ topic }) => topic === 'conversations');

const swapMessages: Spoil['spoil'] = (h, pick) => {
  const { key } = pick(inboundOf(h));
  const [first, second] = inboundOf(h).filter((record) => record.key === key);
  if (first && second) [first.fact, second.fact] = [second.fact, first.fact];
};

const causeItself: Spoil['spoil'] = (h, pick) => {
  const record = pick(storedOf(h));
  record.cause = { topic: record.topic, partition: record.partition, offset: record.offset };
};

const offerTwice: Spoil['spoil'] = (h, pick) => {
  const offer = pick(h.routing.filter(({ kind, task }) => kind === 'offered' && task?.startsWith('task again')));
  h.routing.push(
    { ...offer, position: 9998, kind: 'capacity', agent: 'another', task: null, capacity: 1 },
    { ...offer, position: 9999, agent: 'another' },
  );
};

const callLate: Spoil['spoil'] = (h, pick) => {
  const item = pick(pick(h.periods).items);
  item.late = !item.late;
};

/** At least one for each invariant. */
export const spoils: readonly Spoil[] = [
  { invariant: 1, what: 'an acknowledged fact is lost', spoil: (h, pick) => remove(h.records, pick(inboundOf(h))) },
  { invariant: 1, what: 'a record of nobody', spoil: (h, pick) => void (pick(inboundOf(h)).fact = null) },
  { invariant: 1, what: 'a refused fact is on the log', spoil: (h, pick) => void (pick(h.operations).outcome = 'fail') },
  {
    invariant: 1,
    what: 'a fact recorded under two ids',
    spoil: (h, pick) => void h.records.push({ ...pick(inboundOf(h)), offset: 9999, id: 'another id' }),
  },
  {
    invariant: 1,
    what: 'two messages of one customer changed places',
    spoil: swapMessages,
  },
  {
    invariant: 2,
    what: 'an id with another content',
    spoil: (h, pick) => void h.records.push({ ...pick(inboundOf(h)), offset: 9999, content: 'other' }),
  },
  {
    invariant: 2,
    what: 'an id under another key',
    spoil: (h, pick) => void h.records.push({ ...pick(inboundOf(h)), offset: 9999, key: 'other' }),
  },
  { invariant: 3, what: 'an identity moves', spoil: (h, pick) => void (pick(inboundOf(h)).subject = 'a stranger') },
  {
    invariant: 4,
    what: 'a hole in the numbers of a key',
    spoil: (h, pick) => remove(h.records, pick(storedOf(h).filter(({ keyVersion }) => keyVersion === 1))),
  },
  {
    invariant: 4,
    what: 'an effect without its cause',
    spoil: (h, pick) => void (pick(storedOf(h)).cause = { topic: 'inbound', partition: 0, offset: 9999 }),
  },
  {
    invariant: 4,
    what: 'an effect before its cause',
    spoil: causeItself,
  },
  {
    invariant: 5,
    what: 'one version of a stream is two events',
    spoil: (h, pick) => void h.records.push({ ...pick(storedOf(h)), offset: 9999, keyVersion: 3, id: 'another event' }),
  },
  {
    invariant: 6,
    what: 'a batch was jumped over',
    spoil: (h, pick) => remove(h.applications, pick(h.applications.slice(0, -1))),
  },
  { invariant: 6, what: 'a zombie applied again', spoil: (h, pick) => void h.applications.push({ ...pick(h.applications) }) },
  {
    invariant: 6,
    what: 'an offset beyond the log',
    spoil: (h) =>
      void h.applications.push({
        service: 'conversation',
        topic: 'inbound',
        partition: 0,
        from: h.applications.length,
        to: 9999,
      }),
  },
  {
    invariant: 6,
    what: 'a write under an old epoch',
    spoil: (h) => void h.leasedWrites.push({ scope: 'routing', position: 9999, epoch: 1 }),
  },
  { invariant: 7, what: 'an effect twice', spoil: (h, pick) => void h.effects.push({ ...pick(h.effects.slice(1)) }) },
  { invariant: 7, what: 'an effect never', spoil: (h, pick) => remove(h.effects, pick(h.effects)) },
  {
    invariant: 8,
    what: 'a parked key went on',
    spoil: (h, pick) => void h.parkings.push({ service: 'conversation', key: pick(h.effects.slice(2)).key, from: 0, to: null }),
  },
  {
    invariant: 8,
    what: 'a record that nobody can read and nobody has given up',
    spoil: (h) => void h.unreadable.push({ topic: 'inbound', partition: 1, offset: 0, givenUp: false }),
  },
  { invariant: 9, what: 'a reply called twice', spoil: (h, pick) => void h.calls.push({ ...pick(h.calls) }) },
  { invariant: 9, what: 'a call without an attempt', spoil: (h, pick) => void (pick(h.replies).attemptedAt = null) },
  { invariant: 9, what: 'a call before its attempt', spoil: (h, pick) => void (pick(h.replies).attemptedAt = 2500) },
  { invariant: 9, what: 'a call after its deadline', spoil: (h, pick) => void (pick(h.calls).at = 5001) },
  { invariant: 9, what: 'a call of nobody', spoil: (h) => void h.calls.push({ sendId: 'unheard of', to: 'somebody', at: 2001 }) },
  { invariant: 10, what: 'a call to a stranger', spoil: (h, pick) => void (pick(h.calls).to = 'a stranger') },
  { invariant: 11, what: 'a status of two sends', spoil: (h, pick) => void pick(h.statuses).sends.push('send-x', 'send-y') },
  { invariant: 11, what: 'a status of none', spoil: (h) => void h.statuses.push({ id: 'lost', sends: [], itemised: false }) },
  {
    invariant: 12,
    what: 'more than the capacity',
    spoil: (h, pick) => void (pick(h.routing.filter(({ kind }) => kind === 'capacity')).capacity = 0),
  },
  {
    invariant: 12,
    what: 'a task of two agents',
    spoil: offerTwice,
  },
  { invariant: 13, what: 'another decision', spoil: (h, pick) => void (pick(h.decisions).redecided = 'another') },
  { invariant: 14, what: 'evidence that nobody rated', spoil: (h, pick) => remove(h.ratings, pick(h.ratings)) },
  {
    invariant: 14,
    what: 'evidence rated twice',
    spoil: (h, pick) => void h.ratings.push({ ...pick(h.ratings), as: 'suspense' }),
  },
  { invariant: 14, what: 'a rating without evidence', spoil: (h) => void h.ratings.push({ evidence: 'made up', as: 'rated' }) },
  { invariant: 15, what: 'an invoice changed', spoil: (h, pick) => void (pick(h.invoices).digest = 'other') },
  { invariant: 16, what: 'a closed period changed', spoil: (h, pick) => void pick(h.periods).digests.push('other') },
  {
    invariant: 16,
    what: 'late although included',
    spoil: callLate,
  },
  { invariant: 17, what: 'a disclosure without a record', spoil: (h, pick) => remove(h.accessRecords, pick(h.accessRecords)) },
  { invariant: 17, what: 'a record without a disclosure', spoil: (h, pick) => remove(h.disclosures, pick(h.disclosures)) },
  { invariant: 17, what: 'a record with two leaves', spoil: (h, pick) => void h.leaves.push({ ...pick(h.leaves) }) },
  {
    invariant: 17,
    what: 'a manifest entry without a leaf',
    spoil: (h, pick) => remove(h.leaves, pick(h.leaves.filter(({ kind }) => kind === 'entry'))),
  },
  {
    invariant: 18,
    what: 'a rebuilt root differs',
    spoil: (h, pick) => void (pick(h.checkpoints.filter(({ rebuilt }) => rebuilt)).root = hash('other')),
  },
  { invariant: 18, what: 'a checkpoint beyond the order', spoil: (h, pick) => void (pick(h.checkpoints).size = 99) },
  {
    invariant: 19,
    what: 'a number is missing',
    spoil: (h, pick) => remove(h.numbers, pick(h.numbers.filter(({ number }) => number < 3))),
  },
  { invariant: 19, what: 'a number was given twice', spoil: (h, pick) => void h.numbers.push({ ...pick(h.numbers) }) },
  {
    invariant: 20,
    what: 'a reading after erasure',
    spoil: (h) => void h.readings.push({ subject: 'subject-gone', at: 4000, readable: true }),
  },
  {
    invariant: 20,
    what: 'a canary after erasure',
    spoil: (h) => void h.canaries.push({ subject: 'subject-gone', where: 'a table' }),
  },
  {
    invariant: 20,
    what: 'a record after erasure',
    spoil: (h, pick) => void h.erasures.push({ subject: pick(inboundOf(h)).subject ?? '', at: 0 }),
  },
  { invariant: 21, what: 'a key was lost', spoil: (h, pick) => void (pick(h.records).readable = false) },
  { invariant: 22, what: 'a row under another tenant', spoil: (h, pick) => void (pick(h.belongings).under = 'tenant-b') },
  { invariant: 23, what: 'another digest', spoil: (h, pick) => void (pick(h.replays).digest = 'other') },
  { invariant: 23, what: 'a changed byte that nobody saw', spoil: (h, pick) => void (pick(h.tamperings).named = null) },
  {
    invariant: 23,
    what: 'a changed byte blamed on another record',
    spoil: (h, pick) => void (pick(h.tamperings).named = 'inbound/0/1'),
  },
  { invariant: 24, what: 'a read that was too early', spoil: (h, pick) => void (pick(h.tokenReads).saw = 1) },
];
