import { History, type LogRecord, type Operation } from '@centralita/testing-kit';
import type { Facts } from '@centralita/tool-start';
import { readInstruments } from './instruments.js';
import { BODY, collectRecords } from './records.js';
import { disclosuresOf, effectsOf, operationsOf, ratingsOf, repliesOf, routingOf, statusesOf } from './sections.js';
import { belongingsOf } from './tenancy.js';

/** Puts everything that was done and everything that is left into one history, for the checker and for a file. */
export const collectHistory = async (facts: Facts, scenario: string): Promise<History> => {
  const { moves, written } = await readInstruments(facts.context);
  const records = await collectRecords(facts);
  const keyOf = new Map(records.flatMap(({ fact, key }) => (fact === null ? [] : [[fact, key] as const])));
  return History.parse({
    scenario,
    seed: facts.context.seed,
    inboundTopic: 'wa.inbound.v1',
    operations: [...operationsOf(facts, keyOf), ...bodies(records)],
    records,
    applications: moves,
    leasedWrites: written,
    ...effectsOf(facts),
    ...repliesOf(facts),
    statuses: statusesOf(facts),
    ...routingOf(facts),
    ...ratingsOf(facts),
    ...disclosuresOf(facts),
    belongings: await belongingsOf(facts),
  });
};

/** Bodies without items are sent beside the simulator's journal; that they are there, and how many, is a check of the day. */
const bodies = (records: readonly LogRecord[]): Operation[] =>
  records.flatMap(({ fact, key, recordedAt }) =>
    fact?.startsWith(BODY)
      ? [{ client: 'bodies', facts: [{ fact, key }], invoked: recordedAt, ended: recordedAt, outcome: 'ok' as const }]
      : [],
  );
