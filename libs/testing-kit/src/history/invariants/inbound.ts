import type { Examination } from '../examination.js';
import type { History, LogRecord } from '../history.js';
import { firstOf, nameOf } from '../records.js';

/** 1: nothing acknowledged is missing, nothing was made up, one id a fact, and the order of what did not overlap is kept. */
export const acknowledged = (history: History, examination: Examination): void => {
  const inbound = history.records.filter((record) => record.topic === history.inboundTopic);
  const firstByFact = new Map<string, LogRecord>();
  for (const record of inbound) {
    examination.expect(1, record.fact !== null, () => `record ${nameOf(record)} records nothing that a client sent`);
    if (record.fact === null) continue;
    const first = firstByFact.get(record.fact);
    if (!first) firstByFact.set(record.fact, record);
    else examination.expect(1, first.id === record.id, () => `fact ${record.fact} has two ids, ${first.id} and ${record.id}`);
  }
  const sent = new Set<string>();
  for (const operation of history.operations)
    for (const { fact } of operation.facts) {
      if (operation.outcome !== 'fail') sent.add(fact);
      if (operation.outcome === 'ok')
        examination.expect(
          1,
          firstByFact.has(fact),
          () => `fact ${fact} of ${operation.client} was acknowledged and is not on the log`,
        );
    }
  for (const fact of firstByFact.keys())
    examination.expect(1, sent.has(fact), () => `fact ${fact} is on the log and was sent by nobody, or refused`);
  keptOrder(history, firstByFact, examination);
};

type Delivered = { readonly fact: string; readonly key: string; readonly invoked: number; readonly ended: number };

/** Of two acknowledged facts of one key, the one whose delivery had ended before the other was first sent stands first. */
const keptOrder = (history: History, firstByFact: ReadonlyMap<string, LogRecord>, examination: Examination): void => {
  for (const [key, facts] of Map.groupBy(delivered(history), (fact) => fact.key)) {
    const byEnd = facts.toSorted((left, right) => left.ended - right.ended).values();
    let ended = byEnd.next();
    const latest = new Map<number, { offset: number; fact: string }>();
    for (const later of facts.toSorted((left, right) => left.invoked - right.invoked)) {
      for (; !ended.done && ended.value.ended < later.invoked; ended = byEnd.next()) {
        const record = firstByFact.get(ended.value.fact);
        if (record && record.offset > (latest.get(record.partition)?.offset ?? -1))
          latest.set(record.partition, { offset: record.offset, fact: ended.value.fact });
      }
      const record = firstByFact.get(later.fact);
      const before = record && latest.get(record.partition);
      if (record && before)
        examination.expect(
          1,
          before.offset < record.offset,
          () => `key ${key}: fact ${later.fact} stands before ${before.fact}, which was acknowledged before it was sent`,
        );
    }
  }
};

/** What was acknowledged, from the first time that anybody tried to send it (that try may have put it on the log) to its first 200. */
const delivered = (history: History): Delivered[] => {
  const found = new Map<string, Delivered>();
  for (const { facts, invoked, ended, outcome } of history.operations)
    for (const { fact, key } of outcome === 'fail' ? [] : facts) {
      const known = found.get(fact);
      const acknowledged = outcome === 'ok' && ended !== null ? ended : Infinity;
      found.set(fact, {
        fact,
        key,
        invoked: Math.min(known?.invoked ?? invoked, invoked),
        ended: Math.min(known?.ended ?? Infinity, acknowledged),
      });
    }
  return [...found.values()].filter(({ ended }) => ended !== Infinity);
};

/** 2. */
export const oneContent = (history: History, examination: Examination): void => {
  const first = firstOf(history.records, (record) => record.id);
  for (const record of history.records) {
    const known = first.get(record.id);
    if (!known || known === record) continue;
    examination.expect(
      2,
      known.topic === record.topic && known.key === record.key,
      () => `id ${record.id} stands under two keys, ${nameOf(known)} and ${nameOf(record)}`,
    );
    examination.expect(
      2,
      known.content === record.content,
      () => `id ${record.id} has two contents, ${nameOf(known)} and ${nameOf(record)}`,
    );
  }
  for (const _ of first.keys()) examination.expect(2, true, () => '');
};

/** 3: within a tenant; after an erasure of its subject an identity may be given another. */
export const lastingSubjects = (history: History, examination: Examination): void => {
  const erased = new Map(history.erasures.map(({ subject, at }) => [subject, at]));
  const known = new Map<string, LogRecord>();
  for (const record of [...history.records].sort((left, right) => left.recordedAt - right.recordedAt)) {
    if (record.identity === null || record.subject === null) continue;
    const identity = `${record.tenant}/${record.identity}`;
    const before = known.get(identity);
    const released = (erased.get(before?.subject ?? '') ?? Infinity) <= record.recordedAt;
    examination.expect(
      3,
      !before || before.subject === record.subject || released,
      () => `identity ${record.identity} moved from ${before?.subject} to ${record.subject} at ${nameOf(record)}`,
    );
    if (!before || released) known.set(identity, record);
  }
};
