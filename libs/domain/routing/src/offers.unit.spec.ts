import { describe, expect, it } from '@jest/globals';
import { Scenario, T0, typesOf, uuid } from './scenario.spec.js';
import { loadOf } from './state.js';
import { toInstant } from './instants.js';

const staffed = (...names: string[]): Scenario => {
  const scenario = new Scenario();
  scenario.queue();
  for (const name of names) {
    scenario.agent(name);
    scenario.at += 1000;
  }
  return scenario;
};

describe('offers', () => {
  it('goes to the agent who has been idle longest, and the decision names everybody', () => {
    const scenario = staffed('ana', 'bea');
    scenario.agent('cleo', { queues: ['other'] });
    scenario.agent('dora', { online: false });
    const { events } = scenario.send({
      kind: 'conversation.opened',
      conversationId: uuid('c1'),
      subjectId: uuid('s1'),
      phoneNumberId: '100',
      language: 'es',
      windowExpiresAt: null,
    });
    expect(typesOf(events)).toEqual(['task.queued', 'routing.decided', 'reservation.offered']);
    expect(scenario.reasons('c1')).toEqual({ ana: 'chosen', bea: 'longer_idle_won', cleo: 'not_in_queue', dora: 'not_online' });
    expect(scenario.lastDecision('c1')).toMatchObject({
      rule: 'longest-idle',
      step: 1,
      policyVersion: 0,
      chosenAgentId: uuid('ana'),
    });
    expect(scenario.lastDecision('c1').candidates[0]).toEqual({
      agentId: uuid('ana'),
      eligible: true,
      reason: 'chosen',
      load: 0,
      capacity: 1,
      idleSince: toInstant(T0),
    });
  });

  it('prefers empty hands to an agent who has work, and then the one without new work for longest', () => {
    const scenario = new Scenario();
    scenario.queue();
    scenario.agent('ana', { capacity: 3 });
    scenario.at += 1000;
    scenario.agent('bea', { capacity: 3 });
    for (const name of ['c1', 'c2', 'c3', 'c4']) {
      scenario.at += 1000;
      scenario.open(name);
      scenario.accept(name);
    }
    expect(['c1', 'c2', 'c3', 'c4'].map((name) => scenario.holder(name))).toEqual(['ana', 'bea', 'ana', 'bea'].map(uuid));
  });

  it('prefers empty hands even to somebody whose work came longer ago', () => {
    const scenario = new Scenario();
    scenario.queue();
    scenario.agent('ana', { capacity: 3 });
    scenario.open('c1');
    scenario.accept('c1');
    scenario.at += 3_600_000;
    scenario.agent('bea', { capacity: 3 });
    scenario.open('c2');
    expect(scenario.holder('c2')).toBe(uuid('bea'));
  });

  it('says nothing anew about those who still wait when somebody else is served', () => {
    const scenario = new Scenario();
    scenario.queue();
    for (const name of ['c1', 'c2', 'c3']) scenario.open(name);
    expect(scenario.of('routing.decided.v1')).toHaveLength(3);
    scenario.agent('ana', { online: false });
    const { events } = scenario.presence('ana', 'online');
    expect(typesOf(events)).toEqual(['agent.presence.changed', 'routing.decided', 'reservation.offered']);
  });

  it('is accepted: the task is assigned in the same step and keeps the decision that led there', () => {
    const scenario = staffed('ana');
    scenario.open('c1');
    const { events, refusal } = scenario.accept('c1');
    expect(refusal).toBeNull();
    expect(typesOf(events)).toEqual(['reservation.accepted', 'task.assigned']);
    expect(scenario.of('task.assigned.v1')[0]).toMatchObject({
      agentId: uuid('ana'),
      queueId: uuid('queue'),
      decisionId: scenario.lastDecision('c1').decisionId,
    });
    expect(loadOf(scenario.state.agents.get(uuid('ana'))!)).toBe(1);
  });

  it('holds the place while it is open, and says what takes the last place', () => {
    const scenario = staffed('ana');
    scenario.open('c1');
    scenario.open('c2');
    expect(scenario.reasons('c2')).toEqual({ ana: 'offer_open' });
    expect(scenario.lastDecision('c2')).toMatchObject({ chosenAgentId: null, rule: 'nobody-eligible' });
    scenario.accept('c1');
    scenario.open('c3');
    expect(scenario.reasons('c3')).toEqual({ ana: 'at_capacity' });
    scenario.close('c1');
    scenario.open('c4');
    expect(scenario.reasons('c4')).toEqual({ ana: 'wrapping' });
  });

  it('says why a task waits once per turn and ring, not at every input', () => {
    const scenario = staffed();
    scenario.open('c1');
    scenario.agent('ana', { online: false });
    scenario.agent('bea', { online: false });
    scenario.send({ kind: 'window.moved', conversationId: uuid('c1'), windowExpiresAt: T0 + 90_000_000 });
    expect(scenario.of('routing.decided.v1')).toHaveLength(1);
  });

  it('is declined: the task keeps its age, the next agent is asked, the first is passed over', () => {
    const scenario = staffed('ana', 'bea');
    scenario.open('c1');
    const queuedAt = scenario.state.tasks.get(uuid('c1'))?.queuedAt;
    scenario.at += 500;
    expect(typesOf(scenario.decline('c1').events)).toEqual(['reservation.declined', 'routing.decided', 'reservation.offered']);
    expect(scenario.reasons('c1')).toEqual({ bea: 'chosen', ana: 'declined_before' });
    expect(scenario.state.tasks.get(uuid('c1'))?.queuedAt).toBe(queuedAt);
  });

  it('does not ask somebody who refused while another able agent is online but busy', () => {
    const scenario = staffed('ana', 'bea');
    scenario.open('c1');
    scenario.accept('c1');
    scenario.open('c2');
    scenario.decline('c2');
    expect(scenario.reasons('c2')).toEqual({ ana: 'at_capacity', bea: 'declined_before' });
    expect(scenario.pass(3_600_000)).toEqual([]);
    expect(scenario.phase('c2')).toBe('waiting');
  });

  it('asks again when all have refused, one offer timeout after the refusal and not sooner', () => {
    const scenario = staffed('ana');
    scenario.open('c1');
    scenario.decline('c1');
    expect(typesOf(scenario.pass(29_999))).toEqual([]);
    expect(scenario.phase('c1')).toBe('waiting');
    expect(typesOf(scenario.pass(1))).toEqual(['routing.decided', 'reservation.offered']);
  });

  it('asks again at once when the agent who refused signs in anew', () => {
    const scenario = staffed('ana', 'bea');
    scenario.open('c1');
    scenario.accept('c1');
    scenario.open('c2');
    scenario.decline('c2');
    scenario.presence('bea', 'offline');
    scenario.presence('bea', 'online');
    expect(scenario.holder('c2')).toBe(uuid('bea'));
  });

  it('expires: the missed offer goes on, and the answer that comes at the deadline is too late', () => {
    const scenario = staffed('ana', 'bea');
    scenario.open('c1');
    const offer = scenario.offer('c1');
    scenario.at += 30_000;
    const { events, refusal } = scenario.send({ kind: 'offer.accepted', ...offer });
    expect(refusal?.code).toBe('OFFER_GONE');
    expect(typesOf(events)).toEqual(['reservation.expired', 'routing.decided', 'reservation.offered']);
    expect(scenario.holder('c1')).toBe(uuid('bea'));
  });

  it('expires by itself at its deadline', () => {
    const scenario = staffed('ana');
    scenario.open('c1');
    expect(typesOf(scenario.pass(29_999))).toEqual([]);
    expect(typesOf(scenario.pass(1))).toEqual(['reservation.expired', 'routing.decided']);
    expect(scenario.reasons('c1')).toEqual({ ana: 'declined_before' });
  });

  it('sets an agent away who misses as many in a row as the policy says, and takes the other offers back', () => {
    const scenario = new Scenario();
    scenario.policy({ awayAfterMissedOffers: 2, offerTimeoutMs: 1000 });
    scenario.queue();
    scenario.agent('ana', { capacity: 3 });
    for (const name of ['c1', 'c2', 'c3']) scenario.open(name);
    expect(typesOf(scenario.pass(1000))).toEqual([
      'reservation.expired',
      'reservation.expired',
      'reservation.rescinded',
      'agent.presence.changed',
      'routing.decided',
      'routing.decided',
      'routing.decided',
    ]);
    expect(scenario.of('agent.presence.changed.v1').at(-1)).toMatchObject({ presence: 'away', cause: 'offers-missed' });
    expect(scenario.of('reservation.rescinded.v1')).toMatchObject([{ cause: 'agent_left' }]);
    expect(scenario.reasons('c1')).toEqual({ ana: 'not_online' });
  });

  it('of several that end together ends in the order of their ids', () => {
    const scenario = new Scenario();
    scenario.policy({ awayAfterMissedOffers: null });
    scenario.queue();
    scenario.agent('ana', { capacity: 8 });
    for (let index = 0; index < 8; index += 1) scenario.open(`c${index}`);
    scenario.pass(30_000);
    const expired = scenario.of('reservation.expired.v1').map((data) => data.reservationId);
    expect(expired).toEqual([...expired].sort());
    expect(expired).toHaveLength(8);
  });

  it('counts misses in a row: an answer in between starts again', () => {
    const scenario = new Scenario();
    scenario.policy({ awayAfterMissedOffers: 2, offerTimeoutMs: 1000 });
    scenario.queue();
    scenario.agent('ana');
    scenario.open('c1');
    scenario.pass(2000);
    scenario.decline('c1');
    scenario.pass(2000);
    expect(scenario.of('reservation.expired.v1')).toHaveLength(2);
    expect(scenario.state.agents.get(uuid('ana'))?.presence).toBe('online');
  });

  it('never sets anybody away when the policy has no limit', () => {
    const scenario = new Scenario();
    scenario.policy({ awayAfterMissedOffers: null, offerTimeoutMs: 1000 });
    scenario.queue();
    scenario.agent('ana');
    scenario.open('c1');
    scenario.pass(60_000);
    expect(scenario.of('reservation.expired.v1').length).toBeGreaterThan(10);
    expect(scenario.state.agents.get(uuid('ana'))?.presence).toBe('online');
  });

  it.each(['away', 'offline'] as const)('is taken back when the agent goes %s, without blame', (presence) => {
    const scenario = staffed('ana', 'bea');
    scenario.open('c1');
    expect(typesOf(scenario.presence('ana', presence).events)).toEqual([
      'reservation.rescinded',
      'agent.presence.changed',
      'routing.decided',
      'reservation.offered',
    ]);
    expect(scenario.of('reservation.rescinded.v1')).toMatchObject([{ agentId: uuid('ana'), cause: 'agent_left' }]);
    expect(scenario.reasons('c1')).toEqual({ bea: 'chosen', ana: 'not_online' });
  });

  it('leaves assigned work with an agent who goes offline', () => {
    const scenario = staffed('ana');
    scenario.open('c1');
    scenario.accept('c1');
    expect(typesOf(scenario.presence('ana', 'offline').events)).toEqual(['agent.presence.changed']);
    expect(scenario.phase('c1')).toBe('assigned');
  });

  it('belongs to one agent: another, or a second answer, is refused', () => {
    const scenario = staffed('ana', 'bea');
    scenario.open('c1');
    const offer = scenario.offer('c1');
    expect(scenario.send({ kind: 'offer.accepted', ...offer, agentId: uuid('bea') }).refusal?.code).toBe('OFFER_GONE');
    expect(scenario.send({ kind: 'offer.declined', ...offer, agentId: uuid('bea') }).refusal?.code).toBe('OFFER_GONE');
    scenario.accept('c1');
    expect(scenario.send({ kind: 'offer.accepted', ...offer })).toMatchObject({ events: [], refusal: { code: 'OFFER_GONE' } });
  });
});

describe('capacity', () => {
  it('that falls takes back the newest offers, before the change is said', () => {
    const scenario = new Scenario();
    scenario.queue();
    scenario.agent('ana', { capacity: 3 });
    for (const name of ['c1', 'c2', 'c3']) {
      scenario.at += 10;
      scenario.open(name);
    }
    scenario.accept('c1');
    const { events } = scenario.send({
      kind: 'agent.defined',
      agent: { agentId: uuid('ana'), label: 'ana', skills: [], queueIds: [uuid('queue')], capacity: 2 },
    });
    expect(typesOf(events)).toEqual(['reservation.rescinded', 'agent.defined', 'agent.capacity.changed', 'routing.decided']);
    expect(scenario.of('reservation.rescinded.v1')).toMatchObject([{ taskId: uuid('c3'), cause: 'capacity_reduced' }]);
  });

  it('that falls below the work in hand takes nothing away and keeps new offers out', () => {
    const scenario = new Scenario();
    scenario.queue();
    scenario.agent('ana', { capacity: 2 });
    for (const name of ['c1', 'c2']) {
      scenario.open(name);
      scenario.accept(name);
    }
    scenario.agent('ana', { capacity: 1, online: false });
    scenario.open('c3');
    expect([scenario.phase('c1'), scenario.phase('c2'), scenario.phase('c3')]).toEqual(['assigned', 'assigned', 'waiting']);
    expect(scenario.reasons('c3')).toEqual({ ana: 'at_capacity' });
  });

  it('that rises is used at once', () => {
    const scenario = staffed('ana');
    scenario.open('c1');
    scenario.open('c2');
    scenario.agent('ana', { capacity: 2, online: false });
    expect(scenario.phase('c2')).toBe('offered');
  });

  it('of zero gets nothing', () => {
    const scenario = new Scenario();
    scenario.queue();
    scenario.agent('ana', { capacity: 0 });
    scenario.open('c1');
    expect(scenario.reasons('c1')).toEqual({ ana: 'at_capacity' });
  });
});

describe('a decision that is late', () => {
  it('makes an offer that is open for its full time, and a wait that counts from when the customer came', () => {
    const scenario = staffed('ana');
    const cameAt = scenario.at;
    scenario.outage(3_600_000);
    scenario.open('c1');
    const { offerTimeoutMs } = scenario.state.policy;
    expect(scenario.state.tasks.get(uuid('c1'))).toMatchObject({
      queuedAt: cameAt,
      phase: { name: 'offered', offeredAt: cameAt + 3_600_000, expiresAt: cameAt + 3_600_000 + offerTimeoutMs },
    });
  });

  it('holds an answer that came in time, and only that', () => {
    const scenario = staffed('ana', 'bea');
    scenario.open('c1');
    scenario.open('c2');
    scenario.pass(scenario.state.policy.offerTimeoutMs - 1);
    scenario.outage(60_000);
    expect(scenario.accept('c1').refusal).toBeNull();
    const late = scenario.offer('c2');
    scenario.pass(0);
    expect(scenario.send({ kind: 'offer.accepted', ...late }).refusal).toMatchObject({ code: 'OFFER_GONE' });
  });

  it('ends everything that ran out meanwhile with one timer, each at its time, and asks once', () => {
    const scenario = staffed('ana', 'bea', 'cleo', 'dora', 'emil', 'fay');
    for (const name of ['c1', 'c2', 'c3']) scenario.open(name);
    const ends = ['c1', 'c2', 'c3'].map(() => toInstant(scenario.at + scenario.state.policy.offerTimeoutMs));
    scenario.outage(3_600_000);
    const events = typesOf(scenario.pass(0));
    expect(scenario.of('reservation.expired.v1').map(({ expiredAt }) => expiredAt)).toEqual(ends);
    expect(events.filter((type) => type === 'reservation.offered')).toHaveLength(3);
    expect(scenario.pass(scenario.state.policy.offerTimeoutMs - 1)).toEqual([]);
  });
});
