import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { RoutingEvent } from './events.js';
import { evolve } from './evolve.js';
import { replayDecisions } from './replay.js';
import { Scenario, stored } from './scenario.spec.js';
import { FOLD_VERSION, stateFromJson, stateToJson } from './snapshot.js';
import { initialState } from './state.js';

/** A short day with everything that a state can hold. */
const day = (): Scenario => {
  const scenario = new Scenario();
  scenario.queue('queue', { languageSkill: true, relaxLanguageAfterMs: 5_000 });
  scenario.policy({ offerTimeoutMs: 2_000, wrapUpMs: 1_000, awayAfterMissedOffers: null });
  scenario.agent('ana', { skills: ['es'], capacity: 2 });
  scenario.agent('bea', { skills: ['pt'] });
  scenario.agent('away', { online: false });
  for (const [name, language] of [
    ['c1', 'es'],
    ['c2', 'pt'],
    ['c3', 'es'],
    ['c4', 'es'],
    ['c5', null],
  ] as const)
    scenario.open(name, { language, windowExpiresAt: scenario.at + 3_600_000 });
  scenario.accept('c1');
  scenario.pass(500);
  scenario.accept('c3');
  scenario.close('c1');
  scenario.pass(2_600);
  scenario.presence('bea', 'away');
  scenario.pass(4_000);
  return scenario;
};

type Data = Readonly<Record<string, unknown>>;
/** The same events, with the last of these otherwise. */
const altered = (
  events: readonly RoutingEvent[],
  which: (event: { readonly type: string; readonly data: Data }) => boolean,
  change: (data: Data) => object,
): RoutingEvent[] => {
  const position = events.findLastIndex(which);
  expect(position).toBeGreaterThan(0);
  return events.map((event, index) =>
    index === position ? ({ ...event, data: { ...event.data, ...change(event.data) } } as RoutingEvent) : event,
  );
};
const isOffer = ({ type }: { type: string }): boolean => type === 'reservation.offered.v1';
const isDecision = ({ type, data }: { type: string; data: Data }): boolean =>
  type === 'routing.decided.v1' && data['chosenAgentId'] !== null;
const isRelaxed = ({ type, data }: { type: string; data: Data }): boolean => type === 'routing.decided.v1' && data['step'] === 2;

describe('deciding again what the log says was decided', () => {
  it('finds nothing in a log of ours, from the start or from a snapshot on', () => {
    const { events, state } = day();
    expect(events.filter((event) => event.type === 'routing.decided.v1').length).toBeGreaterThan(5);
    expect(replayDecisions(events)).toEqual({ state, contradictions: [] });
    for (const cut of [1, 7, events.length - 3]) {
      const from = stateFromJson(stored(stateToJson(evolve(initialState, events.slice(0, cut)))));
      const rest = events.slice(cut);
      const offeredFirst = rest[0]?.type === 'reservation.offered.v1';
      expect(replayDecisions(offeredFirst ? [] : rest, from).contradictions).toEqual([]);
    }
  });

  it.each<[string, (events: RoutingEvent[]) => RoutingEvent[]]>([
    ['nobody chosen', (events) => altered(events, isDecision, () => ({ chosenAgentId: null, rule: 'nobody-eligible' }))],
    [
      'a candidate with another load',
      (events) =>
        altered(events, isDecision, ({ candidates }) => ({
          candidates: (candidates as object[]).map((candidate) => ({ ...candidate, load: 7 })),
        })),
    ],
    ['another time', (events) => altered(events, isRelaxed, () => ({ decidedAt: '2026-11-23T10:00:00.000Z' }))],
    ['an offer to somebody else', (events) => altered(events, isOffer, () => ({ agentId: 'x' }))],
    ['an event that was left out', (events) => events.filter(({ type }) => type !== 'task.completed.v1')],
  ])('names the position of %s', (_, tamper) => {
    const { contradictions } = replayDecisions(tamper([...day().events]));
    expect(contradictions.length).toBeGreaterThan(0);
    expect(contradictions[0]?.position).toBeGreaterThan(0);
  });
});

describe('a snapshot', () => {
  it('is the same state after its way through JSON, maps in their order', () => {
    const { state } = day();
    const back = stateFromJson(stored(stateToJson(state)));
    expect(back).toEqual(state);
    for (const part of ['agents', 'queues', 'tasks', 'offers'] as const)
      expect([...back[part].keys()]).toEqual([...state[part].keys()]);
  });

  it('of this version of the fold gives this state: when this fails, the version goes up with the digest', () => {
    const { events } = day();
    const sorted = (_: string, value: unknown): unknown =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
        : value;
    const digest = createHash('sha256')
      .update(JSON.stringify(stateToJson(evolve(initialState, events)), sorted))
      .digest('hex');
    expect([FOLD_VERSION, digest.slice(0, 16)]).toEqual([1, '00ec0fd7eabd9807']);
  });
});
