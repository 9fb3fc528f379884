import { describe, expect, it } from '@jest/globals';
import { evolve } from './evolve.js';
import type { RoutingEvent } from './events.js';
import { Scenario, T0, typesOf, uuid } from './scenario.spec.js';
import { initialState } from './state.js';
import { isUnserved, whyWaiting } from './waiting.js';
import { toInstant } from './instants.js';

const HOUR = 3_600_000;

const withWork = (options: { capacity?: number } = {}): Scenario => {
  const scenario = new Scenario();
  scenario.queue();
  scenario.agent('ana', options);
  scenario.open('c1');
  scenario.accept('c1');
  return scenario;
};

const why = (scenario: Scenario, name: string): string =>
  whyWaiting(scenario.state, scenario.state.tasks.get(uuid(name))!, scenario.at);

describe('wrap-up', () => {
  it('keeps the place until its time is over', () => {
    const scenario = withWork();
    scenario.open('c2');
    expect(typesOf(scenario.close('c1').events)).toEqual(['task.wrapping']);
    expect(typesOf(scenario.pass(29_999))).toEqual([]);
    expect(typesOf(scenario.pass(1))).toEqual(['task.completed', 'routing.decided', 'reservation.offered']);
    expect(scenario.state.tasks.has(uuid('c1'))).toBe(false);
  });

  it('can be ended early by its agent only, once the conversation is closed', () => {
    const scenario = withWork();
    const end = (agent: string) => scenario.send({ kind: 'wrap-up.ended', taskId: uuid('c1'), agentId: uuid(agent) });
    expect(end('ana').refusal?.code).toBe('VALIDATION_FAILED');
    scenario.close('c1');
    expect(end('bea').refusal?.code).toBe('NOT_FOUND');
    expect(typesOf(end('ana').events)).toEqual(['task.completed']);
    expect(end('ana')).toEqual({ events: [], refusal: null });
  });

  it('cannot be ended for a task that waits', () => {
    const scenario = new Scenario();
    scenario.open('c1');
    expect(scenario.send({ kind: 'wrap-up.ended', taskId: uuid('c1'), agentId: uuid('ana') }).refusal?.code).toBe('NOT_FOUND');
  });

  it('is left out when the policy has none', () => {
    const scenario = withWork();
    scenario.policy({ wrapUpMs: 0 });
    expect(typesOf(scenario.close('c1').events)).toEqual(['task.completed']);
  });

  it('of several ends in the order of their ends', () => {
    const scenario = withWork({ capacity: 2 });
    scenario.open('c2');
    scenario.accept('c2');
    scenario.close('c2');
    scenario.at += 5;
    scenario.close('c1');
    scenario.at += HOUR;
    scenario.send({ kind: 'timer' });
    expect(scenario.of('task.completed.v1').map((data) => data.taskId)).toEqual([uuid('c2'), uuid('c1')]);
  });

  it('of several that end together ends in the order of their ids', () => {
    const scenario = withWork({ capacity: 6 });
    const names = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6'];
    for (const name of names.slice(1)) {
      scenario.open(name);
      scenario.accept(name);
    }
    for (const name of names) scenario.close(name);
    scenario.pass(30_000);
    expect(scenario.of('task.completed.v1').map((data) => data.taskId)).toEqual(names.map(uuid).sort());
  });

  it('is cut short when the customer writes again', () => {
    const scenario = withWork();
    scenario.close('c1');
    const { events } = scenario.send({
      kind: 'conversation.reopened',
      conversationId: uuid('c1'),
      subjectId: uuid('subject of c1'),
      phoneNumberId: '100',
      language: null,
      windowExpiresAt: null,
    });
    expect(typesOf(events)).toEqual(['task.released', 'task.queued', 'routing.decided', 'reservation.offered']);
    expect(scenario.of('task.queued.v1').at(-1)?.cause).toBe('reopened');
  });
});

describe('a conversation', () => {
  it('that opens or reopens twice is one task', () => {
    const scenario = withWork();
    scenario.open('c1');
    scenario.send({
      kind: 'conversation.reopened',
      conversationId: uuid('c1'),
      subjectId: uuid('subject of c1'),
      phoneNumberId: '100',
      language: null,
      windowExpiresAt: null,
    });
    expect(scenario.of('task.queued.v1')).toHaveLength(1);
    expect(scenario.phase('c1')).toBe('assigned');
  });

  it('that closes before anybody had it is complete; an open offer is taken back', () => {
    const scenario = new Scenario();
    scenario.queue();
    scenario.open('c1');
    expect(typesOf(scenario.close('c1').events)).toEqual(['task.completed']);
    scenario.agent('ana');
    scenario.open('c2');
    expect(typesOf(scenario.close('c2').events)).toEqual(['reservation.rescinded', 'task.completed']);
    expect(scenario.of('reservation.rescinded.v1')).toMatchObject([{ cause: 'task_ended' }]);
    expect(scenario.close('c2').events).toEqual([]);
    expect(scenario.close('unknown').events).toEqual([]);
  });

  it('that closes twice wraps up once', () => {
    const scenario = withWork();
    scenario.close('c1');
    expect(scenario.close('c1').events).toEqual([]);
  });
});

describe('the order of waiting tasks', () => {
  it('is priority, then windows that end soon, then age', () => {
    const scenario = new Scenario();
    scenario.queue('queue', { phoneNumberIds: ['100'] });
    scenario.queue('vip', { phoneNumberIds: ['200'], priority: 5 });
    for (const [name, number, windowIn] of [
      ['old', '100', 20 * HOUR],
      ['newer', '100', 20 * HOUR],
      ['closing later', '100', 1.9 * HOUR],
      ['closing first', '100', HOUR],
      ['closed', '100', -HOUR],
      ['vip', '200', 20 * HOUR],
    ] as const) {
      scenario.at += 1000;
      scenario.open(name, { number, windowExpiresAt: T0 + windowIn });
    }
    scenario.agent('ana', { queues: ['queue', 'vip'], capacity: 100 });
    const order = scenario.of('reservation.offered.v1').map((data) => data.taskId);
    expect(order).toEqual(['vip', 'closing first', 'closing later', 'old', 'newer', 'closed'].map(uuid));
  });

  it('breaks ties by id', () => {
    const scenario = new Scenario();
    scenario.queue();
    for (const name of ['a', 'b', 'c']) scenario.open(name, { windowExpiresAt: null });
    for (const name of ['d', 'e', 'f']) scenario.open(name, { windowExpiresAt: T0 + HOUR });
    scenario.agent('ana', { capacity: 9 });
    const order = scenario.of('reservation.offered.v1').map((data) => data.taskId);
    expect(order).toEqual([...['d', 'e', 'f'].map(uuid).sort(), ...['a', 'b', 'c'].map(uuid).sort()]);
  });

  it('follows a window that moved; less than a minute is not said again, nor anything about what is offered or in hand', () => {
    const scenario = new Scenario();
    scenario.queue();
    scenario.open('c1', { windowExpiresAt: T0 + HOUR });
    const move = (to: number) =>
      typesOf(scenario.send({ kind: 'window.moved', conversationId: uuid('c1'), windowExpiresAt: to }).events);
    expect(move(T0 + HOUR + 59_999)).toEqual([]);
    expect(move(T0 + 24 * HOUR)).toEqual(['task.queued']);
    expect(scenario.of('task.queued.v1').at(-1)).toMatchObject({ cause: 'opened', windowExpiresAt: toInstant(T0 + 24 * HOUR) });
    scenario.agent('ana');
    expect(scenario.phase('c1')).toBe('offered');
    expect(move(T0 + 25 * HOUR)).toEqual([]);
    scenario.accept('c1');
    expect(move(T0 + 30 * HOUR)).toEqual([]);
  });
});

describe('skills', () => {
  it('of the queue are asked for, always; the language until it is relaxed', () => {
    const scenario = new Scenario();
    scenario.queue('queue', { requiredSkills: ['billing'], languageSkill: true, relaxLanguageAfterMs: 60_000 });
    scenario.agent('ana', { skills: ['pt-BR'] });
    scenario.agent('bea', { skills: ['billing', 'es'] });
    scenario.open('c1', { language: 'pt' });
    expect(scenario.reasons('c1')).toEqual({ ana: 'missing_skill', bea: 'missing_skill' });
    expect(why(scenario, 'c1')).toBe('missing_skill');
    expect(typesOf(scenario.pass(60_000))).toEqual(['routing.decided', 'reservation.offered']);
    expect(scenario.lastDecision('c1')).toMatchObject({ step: 2, chosenAgentId: uuid('bea') });
  });

  it('says again at the second ring why nobody can serve', () => {
    const scenario = new Scenario();
    scenario.queue('queue', { languageSkill: true, relaxLanguageAfterMs: 60_000 });
    scenario.open('c1', { language: 'pt' });
    expect(scenario.pass(60_000)).toMatchObject([{ type: 'routing.decided.v1', data: { step: 2, chosenAgentId: null } }]);
  });

  it('in the language prefer nobody over the wrong one when it is never relaxed', () => {
    const scenario = new Scenario();
    scenario.queue('queue', { languageSkill: true });
    scenario.agent('ana', { skills: ['es'] });
    scenario.open('c1', { language: 'pt' });
    expect(scenario.pass(24 * HOUR)).toEqual([]);
    scenario.agent('bea', { skills: ['lang:pt'] });
    expect(scenario.holder('c1')).toBe(uuid('bea'));
  });
});

describe('the queue of a number', () => {
  it('is the one of the language, then one that routes by language, then the priority, then the id', () => {
    const scenario = new Scenario();
    scenario.queue('plain', { priority: 9 });
    scenario.queue('by language', { languageSkill: true });
    scenario.queue('portuguese', { requiredSkills: ['pt'] });
    scenario.queue('elsewhere', { phoneNumberIds: ['200'], priority: 99 });
    const queueOf = (name: string, language: string | null) => {
      scenario.open(name, { language });
      return scenario.state.tasks.get(uuid(name))?.queueId;
    };
    expect(queueOf('c1', 'pt')).toBe(uuid('portuguese'));
    expect(queueOf('c2', 'en')).toBe(uuid('by language'));
    const plain = new Scenario();
    for (const name of ['x', 'y', 'z']) plain.queue(name, { priority: name === 'x' ? 0 : 3 });
    plain.open('c1');
    expect(plain.state.tasks.get(uuid('c1'))?.queueId).toBe([uuid('y'), uuid('z')].sort()[0]);
  });

  it('may be missing: the task waits visibly until a queue serves its number', () => {
    const scenario = new Scenario();
    scenario.agent('ana');
    scenario.open('c1', { number: '300' });
    expect(scenario.of('task.queued.v1')).toMatchObject([{ queueId: null }]);
    expect(scenario.lastDecision('c1')).toMatchObject({ rule: 'no-queue', chosenAgentId: null });
    expect([why(scenario, 'c1'), isUnserved('no_queue')]).toEqual(['no_queue', true]);
    scenario.queue('other', { phoneNumberIds: ['400'] }, { [uuid('c1')]: '300' });
    scenario.queue('unaware', { phoneNumberIds: ['500'] });
    expect(scenario.phase('c1')).toBe('waiting');
    scenario.queue('queue', { phoneNumberIds: ['300'] }, { [uuid('c1')]: '300' });
    expect(scenario.of('task.queued.v1').at(-1)).toMatchObject({
      queueId: uuid('queue'),
      cause: 'opened',
      queuedAt: toInstant(T0),
    });
    expect(scenario.holder('c1')).toBe(uuid('ana'));
  });

  it('that is defined anew says anew what its waiting tasks ask for, and leaves work in hand', () => {
    const scenario = new Scenario();
    scenario.queue('queue', { requiredSkills: ['billing'] });
    scenario.agent('ana', { skills: ['billing'] });
    scenario.open('in hand');
    scenario.accept('in hand');
    scenario.open('waits');
    scenario.agent('bea');
    scenario.queue('queue', { requiredSkills: [], priority: 2 });
    expect(scenario.holder('waits')).toBe(uuid('bea'));
    expect(scenario.state.tasks.get(uuid('waits'))?.priority).toBe(2);
    expect(scenario.state.tasks.get(uuid('in hand'))?.priority).toBe(0);
    const before = scenario.of('task.queued.v1').length;
    scenario.queue('queue', { requiredSkills: [], priority: 2 });
    expect(scenario.of('task.queued.v1')).toHaveLength(before);
  });
});

describe('transfer', () => {
  const transfer = (scenario: Scenario, to: { queue?: string; agent?: string }, from = 'ana') =>
    scenario.send({
      kind: 'transfer.requested',
      conversationId: uuid('c1'),
      transferId: uuid('t1'),
      agentId: uuid(from),
      toQueueId: to.queue ? uuid(to.queue) : null,
      toAgentId: to.agent ? uuid(to.agent) : null,
      windowExpiresAt: T0 + 2 * HOUR,
    });

  it('to a queue frees the place and waits there, with its priority and skills, at its end', () => {
    const scenario = withWork();
    scenario.queue('second', { phoneNumberIds: [], requiredSkills: ['tax'], priority: 7 });
    scenario.at += 1000;
    expect(typesOf(transfer(scenario, { queue: 'second' }).events)).toEqual([
      'task.transferred',
      'task.queued',
      'routing.decided',
    ]);
    expect(scenario.of('task.queued.v1').at(-1)).toMatchObject({
      queueId: uuid('second'),
      requiredSkills: ['tax'],
      priority: 7,
      cause: 'transferred',
      targetAgentId: null,
      queuedAt: toInstant(scenario.at),
      windowExpiresAt: toInstant(T0 + 2 * HOUR),
    });
    expect(scenario.state.agents.get(uuid('ana'))?.places).toEqual({ offered: 0, assigned: 0, wrapping: 0 });
  });

  it('to the own queue does not come back to the one who gave it away while others are there', () => {
    const scenario = withWork();
    scenario.agent('bea');
    transfer(scenario, { queue: 'queue' });
    expect(scenario.reasons('c1')).toEqual({ bea: 'chosen', ana: 'declined_before' });
  });

  it('to a colleague asks that colleague only, in any queue, and waits for a place of theirs', () => {
    const scenario = withWork();
    scenario.agent('bea');
    scenario.agent('cleo', { queues: [] });
    transfer(scenario, { agent: 'cleo' });
    expect(scenario.lastDecision('c1')).toMatchObject({ rule: 'transfer-target', chosenAgentId: uuid('cleo') });
    expect(scenario.reasons('c1')).toEqual({ cleo: 'chosen', ana: 'not_the_target', bea: 'not_the_target' });
  });

  it('to a busy colleague waits, and says so', () => {
    const scenario = withWork();
    scenario.agent('bea');
    scenario.open('c2');
    scenario.accept('c2');
    transfer(scenario, { agent: 'bea' });
    expect(scenario.lastDecision('c1')).toMatchObject({ rule: 'transfer-target-busy', chosenAgentId: null });
    expect(scenario.reasons('c1')).toEqual({ bea: 'at_capacity', ana: 'not_the_target' });
    expect(why(scenario, 'c1')).toBe('target_busy');
    scenario.policy({ wrapUpMs: 0 });
    scenario.close('c2');
    expect(scenario.holder('c1')).toBe(uuid('bea'));
  });

  it('to a colleague who is not there leaves it to the queue, and says so', () => {
    const scenario = withWork();
    scenario.agent('bea', { online: false });
    scenario.agent('cleo');
    transfer(scenario, { agent: 'bea' });
    expect(scenario.lastDecision('c1')).toMatchObject({
      rule: 'longest-idle, transfer-target-not-there',
      chosenAgentId: uuid('cleo'),
    });
    scenario.decline('c1');
    expect(scenario.lastDecision('c1').rule).toBe('nobody-eligible, transfer-target-not-there');
    scenario.presence('bea', 'online');
    expect(scenario.lastDecision('c1')).toMatchObject({ rule: 'transfer-target', chosenAgentId: uuid('bea') });
  });

  it('that the colleague declines goes to the queue', () => {
    const scenario = withWork();
    scenario.agent('bea');
    scenario.agent('cleo');
    transfer(scenario, { agent: 'bea' });
    scenario.decline('c1');
    expect(scenario.holder('c1')).toBe(uuid('cleo'));
  });

  it('to a queue that nobody knows waits visibly', () => {
    const scenario = withWork();
    transfer(scenario, { queue: 'unheard of' });
    expect(why(scenario, 'c1')).toBe('nobody_in_queue');
  });

  it('of a conversation without a queue to a queue-less pool waits as one without a queue', () => {
    const scenario = new Scenario();
    scenario.agent('ana');
    scenario.open('c1', { number: '300' });
    scenario.queue('queue', { phoneNumberIds: ['300'] }, { [uuid('c1')]: '300' });
    scenario.accept('c1');
    transfer(scenario, {});
    expect(scenario.state.tasks.get(uuid('c1'))?.queueId).toBe(uuid('queue'));
  });

  it('is refused when the agent does not have the conversation (any more)', () => {
    const scenario = withWork();
    expect(transfer(scenario, { queue: 'queue' }, 'bea').refusal?.code).toBe('NOT_ASSIGNED');
    scenario.close('c1');
    expect(transfer(scenario, { queue: 'queue' })).toMatchObject({ events: [], refusal: { code: 'NOT_ASSIGNED' } });
  });
});

describe('agents and policies', () => {
  it('refuses presence of an agent whom nobody defined, and ignores what is so already', () => {
    const scenario = new Scenario();
    expect(scenario.presence('ana', 'online').refusal?.code).toBe('AGENT_UNKNOWN');
    scenario.agent('ana');
    expect(scenario.presence('ana', 'online')).toEqual({ events: [], refusal: null });
  });

  it('counts policy versions, and decisions name theirs', () => {
    const scenario = new Scenario();
    scenario.policy({ offerTimeoutMs: 2000 });
    scenario.policy();
    scenario.queue();
    scenario.open('c1');
    expect(scenario.of('routing.policy.published.v1').map((data) => data.policyVersion)).toEqual([1, 2]);
    expect(scenario.lastDecision('c1').policyVersion).toBe(2);
  });

  it('explains why a task waits', () => {
    const scenario = new Scenario();
    scenario.queue();
    scenario.open('c1');
    expect(why(scenario, 'c1')).toBe('nobody_in_queue');
    scenario.agent('ana', { online: false });
    expect(why(scenario, 'c1')).toBe('nobody_online');
    scenario.presence('ana', 'online');
    expect(scenario.phase('c1')).toBe('offered');
    scenario.open('c2');
    expect(why(scenario, 'c2')).toBe('all_busy');
    expect(isUnserved('all_busy')).toBe(false);
    scenario.decline('c1');
    expect(why(scenario, 'c1')).toBe('declined_by_all');
    // The offer of c2 ends and ana may be asked again: the board is ahead of the timer.
    scenario.at += 40_000;
    expect(why(scenario, 'c1')).toBe('all_busy');
    scenario.close('c2');
    scenario.decline('c1');
    scenario.at += 40_000;
    expect(why(scenario, 'c1')).toBe('about_to_be_offered');
  });
});

describe('the fold', () => {
  it('moves on over an event of a later release, and over events of what it does not know', () => {
    const later = { type: 'agent.renamed.v1', data: { agentId: uuid('ana') } } as unknown as RoutingEvent;
    const stranger: RoutingEvent = {
      type: 'agent.presence.changed.v1',
      data: { agentId: uuid('nobody'), presence: 'online', changedAt: toInstant(T0), cause: 'agent' },
    };
    const wrapping: RoutingEvent = {
      type: 'task.wrapping.v1',
      data: {
        ...{ taskId: uuid('c'), conversationId: uuid('c'), subjectId: uuid('s') },
        agentId: uuid('ana'),
        wrapUpUntil: toInstant(T0),
      },
    };
    expect(evolve(initialState, [later, stranger, wrapping])).toEqual({ ...initialState, position: 3 });
    // A wrap-up without an assignment counts from the queue.
    const scenario = new Scenario();
    scenario.open('c');
    expect(evolve(scenario.state, [wrapping]).tasks.get(uuid('c'))?.phase).toMatchObject({ name: 'wrapping', since: T0 });
  });
});
