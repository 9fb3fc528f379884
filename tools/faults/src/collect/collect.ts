import { History, type LogRecord, type Operation } from '@centralita/testing-kit';
import type { Delivery } from '@centralita/tool-simulator';
import type { Facts } from '@centralita/tool-start';
import { readInstruments } from './instruments.js';
import { BODY, collectRecords } from './records.js';
import { parkedEvidence, unreadableOf } from './parked.js';
import { rebuiltCheckpoints } from './replays.js';
import { disclosuresOf, effectsOf, operationsOf, ratingsOf, repliesOf, routingOf, statusesOf } from './sections.js';
import { belongingsOf } from './tenancy.js';
import { tokenReadsOf } from './token-reads.js';

/**
 * Puts everything that was done and everything that is left into one history, for the checker and for a file. `deliveries`: webhooks that
 * were delivered past the simulator.
 */
export const collectHistory = async (
  facts: Facts,
  scenario: string,
  replayed: Pick<History, 'replays' | 'tamperings'>,
  deliveries: readonly Delivery[] = [],
): Promise<History> => {
  const { moves, written, parkings } = await readInstruments(facts.context);
  const { evidences, ratings } = ratingsOf(facts);
  const rated = new Set(ratings.map(({ evidence }) => evidence));
  const { checkpoints, ...disclosed } = disclosuresOf(facts);
  const records = await collectRecords(facts);
  const keyOf = new Map(records.flatMap(({ fact, key }) => (fact === null ? [] : [[fact, key] as const])));
  return History.parse({
    scenario,
    seed: facts.context.seed,
    inboundTopic: 'wa.inbound.v1',
    operations: [...operationsOf([...facts.world.deliveries, ...deliveries], keyOf), ...bodies(records)],
    records,
    unreadable: unreadableOf(facts),
    applications: moves,
    leasedWrites: written,
    ...effectsOf(facts),
    parkings,
    ...repliesOf(facts),
    statuses: statusesOf(facts),
    ...routingOf(facts),
    evidences,
    // Of one message, one evidence can be rated and a later one parked: it is rated.
    ratings: [...(await parkedEvidence(facts)), ...ratings].filter(({ evidence, as }) => as !== 'parked' || !rated.has(evidence)),
    ...disclosed,
    checkpoints: [...checkpoints, ...(await rebuiltCheckpoints(facts))],
    belongings: await belongingsOf(facts),
    ...replayed,
    tokenReads: tokenReadsOf(facts),
  });
};

/** Bodies without items are sent beside the simulator's journal; that they are there, and how many, is a check of the day. */
const bodies = (records: readonly LogRecord[]): Operation[] =>
  records.flatMap(({ fact, key, recordedAt }) =>
    fact?.startsWith(BODY)
      ? [{ client: 'bodies', facts: [{ fact, key }], invoked: recordedAt, ended: recordedAt, outcome: 'ok' as const }]
      : [],
  );
