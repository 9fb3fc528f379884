import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decide } from './decide.js';
import { evolve } from './evolve.js';
import type { RoutingEvent } from './events.js';
import { replayDecisions } from './replay.js';
import { Scenario, stored, uuid } from './scenario.spec.js';
import { stateFromJson, stateToJson } from './snapshot.js';
import { initialState, loadOf, type RoutingState } from './state.js';

/**
 * The model knows only what customers and agents did: which conversations are open, who may hold them. The invariants are
 * reckoned from the events alone, by a fold of its own, so that they do not lean on the code under test.
 */
type Model = { readonly open: Set<string>; readonly known: Set<string> };

const conversations = ['c0', 'c1', 'c2', 'c3', 'c4', 'c5'];
const agents = ['a0', 'a1', 'a2', 'a3'];

/** Reads events one by one and refuses whatever must never stand in a log. */
class Auditor {
  readonly live = new Map<string, { state: string; agentId: string | null }>();
  readonly load = new Map<string, number>();
  readonly capacity = new Map<string, number>();
  private lastDecision: { decisionId: string; taskId: string; chosenAgentId: string | null } | null = null;

  read(event: RoutingEvent): void {
    const task = 'taskId' in event.data ? this.live.get(event.data.taskId) : undefined;
    switch (event.type) {
      case 'agent.defined.v1':
        this.capacity.set(event.data.agentId, event.data.capacity);
        return;
      case 'task.queued.v1':
        if (task === undefined || task.state === 'left') this.live.set(event.data.taskId, { state: 'waiting', agentId: null });
        else if (task.state !== 'waiting' && task.state !== 'offered') throw new Error(`queued while ${task.state}`);
        return;
      case 'routing.decided.v1': {
        const { candidates, chosenAgentId } = event.data;
        if (candidates.length !== this.capacity.size) throw new Error('a decision names every agent');
        const chosen = candidates.filter((candidate) => candidate.reason === 'chosen');
        if (chosen.length !== (chosenAgentId === null ? 0 : 1)) throw new Error('one is chosen, or nobody');
        if (chosen.some((candidate) => candidate.load >= candidate.capacity)) throw new Error('chosen without room');
        for (const candidate of candidates)
          if (candidate.load !== (this.load.get(candidate.agentId) ?? 0)) throw new Error('the decision states a wrong load');
        this.lastDecision = event.data;
        return;
      }
      case 'reservation.offered.v1': {
        if (task?.state !== 'waiting') throw new Error('offered what does not wait');
        if (this.lastDecision?.decisionId !== event.data.decisionId) throw new Error('offered without its decision');
        if (this.lastDecision.chosenAgentId !== event.data.agentId) throw new Error('offered to somebody else');
        this.take(event.data.agentId);
        this.live.set(event.data.taskId, { state: 'offered', agentId: event.data.agentId });
        return;
      }
      case 'reservation.accepted.v1':
        this.expect(task, 'offered', event.data.agentId);
        return;
      case 'task.assigned.v1':
        this.expect(task, 'offered', event.data.agentId);
        this.live.set(event.data.taskId, { state: 'assigned', agentId: event.data.agentId });
        return;
      case 'reservation.declined.v1':
      case 'reservation.expired.v1':
      case 'reservation.rescinded.v1':
        this.expect(task, 'offered', event.data.agentId);
        this.free(event.data.agentId);
        this.live.set(event.data.taskId, { state: 'waiting', agentId: null });
        return;
      case 'task.transferred.v1':
        this.expect(task, 'assigned', event.data.fromAgentId);
        this.free(event.data.fromAgentId);
        this.live.set(event.data.taskId, { state: 'left', agentId: null });
        return;
      case 'task.wrapping.v1':
        this.expect(task, 'assigned', event.data.agentId);
        this.live.set(event.data.taskId, { state: 'wrapping', agentId: event.data.agentId });
        return;
      case 'task.released.v1':
        this.expect(task, 'wrapping', event.data.agentId);
        this.free(event.data.agentId);
        this.live.set(event.data.taskId, { state: 'left', agentId: null });
        return;
      case 'task.completed.v1':
        if (!task || (task.agentId ?? null) !== event.data.agentId) throw new Error('completed for somebody else');
        if (event.data.agentId !== null) this.free(event.data.agentId);
        this.live.delete(event.data.taskId);
        return;
      default:
        return;
    }
  }

  private expect(task: { state: string; agentId: string | null } | undefined, state: string, agentId: string): void {
    if (task?.state !== state || task.agentId !== agentId) throw new Error(`${task?.state ?? 'gone'} where ${state} is needed`);
  }

  /** Load may only rise below the capacity of that moment: nobody ever gets more than they can hold. */
  private take(agentId: string): void {
    const load = (this.load.get(agentId) ?? 0) + 1;
    if (load > (this.capacity.get(agentId) ?? 0)) throw new Error('capacity exceeded');
    this.load.set(agentId, load);
  }

  private free(agentId: string): void {
    const load = (this.load.get(agentId) ?? 0) - 1;
    if (load < 0) throw new Error('freed twice');
    this.load.set(agentId, load);
  }
}

/** The real thing: a scenario whose events pass the auditor, and whose state must be no more than their fold. */
class Real extends Scenario {
  readonly auditor = new Auditor();
  private audited = 0;

  check(model: Model): void {
    for (; this.audited < this.events.length; this.audited += 1) this.auditor.read(this.events[this.audited]!);
    // Every open conversation is a live task, and nothing else is, but for wrap-ups.
    for (const name of model.open) {
      const phase = this.phase(name);
      if (phase !== 'waiting' && phase !== 'offered' && phase !== 'assigned') throw new Error(`${name} was lost: ${phase}`);
      if (this.auditor.live.get(uuid(name))?.state !== phase) throw new Error(`${name}: events and state differ`);
    }
    for (const task of this.state.tasks.values())
      if (task.phase.name !== 'wrapping' && ![...model.open].some((name) => uuid(name) === task.taskId))
        throw new Error('a task without an open conversation');
    for (const agent of this.state.agents.values())
      if (loadOf(agent) !== (this.auditor.load.get(agent.agentId) ?? 0)) throw new Error('a load that the events do not give');
    const offered = [...this.state.tasks.values()].filter((task) => task.phase.name === 'offered');
    if (offered.length !== this.state.offers.size) throw new Error('open offers and offered tasks differ');
    // Comparing whole states is slow; a difference does not go away by the next look.
    if (this.inputs.length % 8 === 0) this.checkFold();
  }

  checkFold(): void {
    expect(evolve(initialState, this.events)).toEqual(this.state);
  }
}

const step = (
  label: string,
  run: (model: Model, real: Real) => void,
  can: (model: Model) => boolean = () => true,
): fc.Command<Model, Real> => ({
  check: (model) => can(model),
  run: (model, real) => {
    run(model, real);
    real.check(model);
  },
  toString: () => label,
});

const conversation = fc.constantFrom(...conversations);
const agent = fc.constantFrom(...agents);
const language = fc.constantFrom('es', 'pt', null);

/** Phase of a task seen by what the agents can do; commands that find nothing to do send what a late client would. */
const offerOf = (real: Real, name: string) => {
  const phase = real.state.tasks.get(uuid(name))?.phase;
  return phase?.name === 'offered'
    ? { reservationId: phase.reservationId, agentId: phase.agentId }
    : { reservationId: uuid('long gone'), agentId: uuid('a0') };
};

const commands: fc.Arbitrary<fc.Command<Model, Real>>[] = [
  fc
    .tuple(conversation, language, fc.constantFrom('100', '200', '900'), fc.integer({ min: -1, max: 30 }))
    .map(([name, spoken, number, hours]) =>
      step(`open ${name} ${number} ${spoken} window ${hours} h`, (model, real) => {
        const at = { number, language: spoken, windowExpiresAt: real.at + hours * 3_600_000 };
        if (model.known.has(name) && !model.open.has(name))
          real.send({
            kind: 'conversation.reopened',
            conversationId: uuid(name),
            subjectId: uuid(`subject of ${name}`),
            phoneNumberId: at.number,
            language: at.language,
            windowExpiresAt: at.windowExpiresAt,
          });
        else real.open(name, at);
        model.known.add(name);
        model.open.add(name);
      }),
    ),
  conversation.map((name) =>
    step(`close ${name}`, (model, real) => {
      real.close(name);
      model.open.delete(name);
    }),
  ),
  fc.tuple(conversation, fc.integer({ min: 1, max: 30 })).map(([name, hours]) =>
    step(`window of ${name}`, (_, real) => {
      real.send({ kind: 'window.moved', conversationId: uuid(name), windowExpiresAt: real.at + hours * 3_600_000 });
    }),
  ),
  fc
    .tuple(
      conversation,
      fc.option(agent, { nil: null }),
      fc.option(fc.constantFrom('queue', 'tax', 'nowhere'), { nil: null }),
      agent,
    )
    .map(([name, toAgent, toQueue, from]) =>
      step(`transfer ${name} to ${toAgent} ${toQueue}`, (_, real) => {
        real.send({
          kind: 'transfer.requested',
          conversationId: uuid(name),
          transferId: uuid(`transfer ${real.events.length}`),
          agentId: real.phase(name) === 'assigned' ? (real.holder(name) ?? '') : uuid(from),
          toAgentId: toAgent === null ? null : uuid(toAgent),
          toQueueId: toQueue === null ? null : uuid(toQueue),
          windowExpiresAt: null,
        });
      }),
    ),
  fc.tuple(agent, fc.constantFrom('online', 'online', 'online', 'away', 'offline')).map(([name, presence]) =>
    step(`${name} ${presence}`, (_, real) => {
      real.presence(name, presence);
    }),
  ),
  ...(['offer.accepted', 'offer.accepted', 'offer.declined'] as const).map((kind) =>
    conversation.map((name) =>
      step(`${kind} ${name}`, (_, real) => {
        real.send({ kind, ...offerOf(real, name) });
      }),
    ),
  ),
  fc.integer({ min: 1, max: 120 }).map((seconds) =>
    step(`nobody decides for ${seconds} s`, (_, real) => {
      real.outage(seconds * 1000);
    }),
  ),
  conversation.map((name) =>
    step(`end wrap-up ${name}`, (_, real) => {
      real.send({ kind: 'wrap-up.ended', taskId: uuid(name), agentId: real.holder(name) ?? uuid('a0') });
    }),
  ),
  fc
    .tuple(
      agent,
      fc.integer({ min: 0, max: 3 }),
      fc.subarray(['es', 'pt', 'tax']),
      fc.subarray(['queue', 'tax'], { minLength: 1 }),
    )
    .map(([name, capacity, skills, queues]) =>
      step(`define ${name} ${capacity} ${skills.join()} ${queues.join()}`, (_, real) => {
        real.agent(name, { capacity, skills, queues, online: false });
      }),
    ),
  fc
    .tuple(
      fc.constantFrom('queue', 'tax'),
      fc.boolean(),
      fc.option(fc.constantFrom(0, 5000), { nil: null }),
      fc.integer({ min: 0, max: 2 }),
    )
    .map(([name, languageSkill, relaxLanguageAfterMs, priority]) =>
      step(`define queue ${name}`, (_, real) => {
        const unserved = Object.fromEntries(
          [...real.state.tasks.values()].filter((task) => task.queueId === null).map((task) => [task.taskId, '200']),
        );
        real.queue(
          name,
          {
            phoneNumberIds: name === 'queue' ? ['100'] : ['100', '200'],
            requiredSkills: name === 'tax' ? ['tax'] : [],
            languageSkill,
            relaxLanguageAfterMs,
            priority,
          },
          unserved,
        );
      }),
    ),
  fc
    .record({
      offerTimeoutMs: fc.constantFrom(1000, 4000),
      wrapUpMs: fc.constantFrom(0, 2000),
      awayAfterMissedOffers: fc.constantFrom(null, 1, 2),
    })
    .map((policy) =>
      step('policy', (_, real) => {
        real.policy(policy);
      }),
    ),
  fc.integer({ min: 1, max: 10_000 }).map((milliseconds) =>
    step(`pass ${milliseconds}`, (_, real) => {
      real.pass(milliseconds);
    }),
  ),
];

const begin = (): { model: Model; real: Real } => {
  const real = new Real();
  real.queue('queue', { phoneNumberIds: ['100'] });
  for (const name of agents) real.agent(name, { capacity: 2, skills: ['es'], queues: ['queue', 'tax'] });
  return { model: { open: new Set(), known: new Set() }, real };
};

describe('a routing domain under any sequence of inputs', () => {
  it('never exceeds a capacity, never has two holders of a task, loses no task, and is the fold of its events', () => {
    fc.assert(
      fc.property(fc.commands(commands, { maxCommands: 80, size: 'max' }), (sequence) => {
        const { model, real } = begin();
        fc.modelRun(() => ({ model, real }), sequence);
        real.checkFold();
      }),
      { numRuns: 120 },
    );
  });

  it('decides the same again from its recorded inputs, and from the fold of any prefix of its events', () => {
    fc.assert(
      fc.property(fc.commands(commands, { maxCommands: 60, size: 'max' }), fc.nat(), (sequence, seed) => {
        const { model, real } = begin();
        fc.modelRun(() => ({ model, real }), sequence);
        let state: RoutingState = initialState;
        const again: RoutingEvent[] = [];
        const restartAt = seed % real.inputs.length;
        real.inputs.forEach((input, index) => {
          // A writer that died here knows no more than the events, or what a snapshot of them kept.
          if (index === restartAt) state = stateFromJson(stored(stateToJson(evolve(initialState, again))));
          const decision = decide(state, input, uuid);
          again.push(...decision.events);
          state = decision.state;
        });
        expect(again).toEqual(real.events);
        expect(replayDecisions(stored(real.events)).contradictions).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  it('serves everybody in the end when one agent who can is there and answers', () => {
    fc.assert(
      fc.property(fc.commands(commands, { maxCommands: 40, size: 'max' }), (sequence) => {
        const { model, real } = begin();
        fc.modelRun(() => ({ model, real }), sequence);
        const unserved = Object.fromEntries([...real.state.tasks.keys()].map((taskId) => [taskId, '100']));
        real.queue('queue', { phoneNumberIds: ['100'] }, unserved);
        real.queue('tax', { phoneNumberIds: ['200'], requiredSkills: [] }, unserved);
        real.queue('nowhere', { phoneNumberIds: [], requiredSkills: [] });
        for (const name of agents) real.presence(name, 'offline');
        real.policy({ awayAfterMissedOffers: null, offerTimeoutMs: 1000 });
        real.agent('helper', { capacity: 50, skills: ['es', 'pt', 'tax'], queues: ['queue', 'tax', 'nowhere'] });
        for (let round = 0; round < 10; round += 1) {
          // Shorter than an offer: none can end unseen.
          real.pass(900);
          for (const name of conversations) if (real.phase(name) === 'offered') real.accept(name);
        }
        for (const name of model.open) expect([name, real.phase(name)]).toEqual([name, 'assigned']);
      }),
      { numRuns: 50 },
    );
  });
});

describe('the auditor of this spec', () => {
  it('refuses a second offer of one task and an offer beyond capacity', () => {
    const { real, model } = begin();
    real.open('c0');
    model.open.add('c0');
    real.check(model);
    const offered = real.events.findLast((event) => event.type === 'reservation.offered.v1')!;
    expect(() => real.auditor.read(offered)).toThrow('offered what does not wait');
    const fresh = new Auditor();
    real.events
      .map((event) => (event.type === 'agent.defined.v1' ? { ...event, data: { ...event.data, capacity: 0 } } : event))
      .slice(0, -2)
      .forEach((event) => fresh.read(event));
    fresh.read(real.events.at(-2)!.type === 'routing.decided.v1' ? real.events.at(-2)! : offered);
    expect(() => fresh.read(offered)).toThrow('capacity exceeded');
  });
});
