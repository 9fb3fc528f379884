import { v5 } from 'uuid';
import { decide } from './decide.js';
import { nextDeadline } from './deadlines.js';
import type { RoutingEvent, RoutingEventOf, RoutingEventType } from './events.js';
import type { RoutingFact, RoutingInput } from './inputs.js';
import { toMillis, type Millis } from './instants.js';
import type { Refusal } from './recorder.js';
import { initialState, type Policy, type Queue, type RoutingState } from './state.js';

export const uuid = (name: string): string => v5(name, v5.URL);
/** A value after its way through a database. */
export const stored = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value;
export const T0 = toMillis('2026-11-23T10:00:00.000Z');

/** Feeds inputs to the decider as the service does, and keeps all that came of them. */
export class Scenario {
  state: RoutingState = initialState;
  readonly events: RoutingEvent[] = [];
  readonly inputs: RoutingInput[] = [];
  at: Millis = T0;
  /** When inputs came, while the domain has no writer. @default the time of the decision */
  receivedAt: Millis | null = null;

  send(fact: RoutingFact): { events: readonly RoutingEvent[]; refusal: Refusal | null } {
    const input: RoutingInput = { ...fact, receivedAt: this.receivedAt ?? this.at, at: this.at };
    const { events, refusal, state } = decide(this.state, input, uuid);
    this.inputs.push(input);
    this.events.push(...events);
    this.state = state;
    return { events, refusal };
  }

  /** Nobody decides for a while: until time passes again, inputs came before that and are decided after it. */
  outage(milliseconds: number): void {
    this.receivedAt = this.at;
    this.at += milliseconds;
  }

  /** Lets time pass, with a timer at each deadline on the way. */
  pass(milliseconds: number): readonly RoutingEvent[] {
    this.receivedAt = null;
    const until = this.at + milliseconds;
    const from = this.events.length;
    for (let timers = 0; ; timers += 1) {
      const due = nextDeadline(this.state, this.at);
      if (due === null || due > until) break;
      if (timers > 1000) throw new Error('a deadline that does not go away');
      this.at = Math.max(this.at, due);
      this.send({ kind: 'timer' });
    }
    this.at = until;
    return this.events.slice(from);
  }

  agent(name: string, options: { skills?: string[]; queues?: string[]; capacity?: number; online?: boolean } = {}): string {
    const agentId = uuid(name);
    const { skills = [], queues = ['queue'], capacity = 1, online = true } = options;
    this.send({ kind: 'agent.defined', agent: { agentId, label: name, skills, queueIds: queues.map(uuid), capacity } });
    if (online) this.presence(name, 'online');
    return agentId;
  }

  presence(name: string, presence: 'online' | 'away' | 'offline'): ReturnType<Scenario['send']> {
    return this.send({ kind: 'presence.set', agentId: uuid(name), presence, cause: 'agent' });
  }

  queue(name = 'queue', definition: Partial<Queue> = {}, unserved: Record<string, string> = {}): string {
    const queueId = uuid(name);
    this.send({
      kind: 'queue.defined',
      queue: {
        queueId,
        name,
        phoneNumberIds: ['100'],
        requiredSkills: [],
        languageSkill: false,
        relaxLanguageAfterMs: null,
        priority: 0,
        ...definition,
      },
      unserved,
    });
    return queueId;
  }

  policy(policy: Partial<Omit<Policy, 'policyVersion'>> = {}): void {
    const { policyVersion: _, ...current } = this.state.policy;
    this.send({ kind: 'policy.published', policy: { ...current, ...policy } });
  }

  open(name: string, options: { number?: string; language?: string | null; windowExpiresAt?: Millis | null } = {}): string {
    const { number = '100', language = null, windowExpiresAt = this.at + 86_400_000 } = options;
    this.send({
      kind: 'conversation.opened',
      conversationId: uuid(name),
      subjectId: uuid(`subject of ${name}`),
      phoneNumberId: number,
      language,
      windowExpiresAt,
    });
    return uuid(name);
  }

  close(name: string): ReturnType<Scenario['send']> {
    return this.send({ kind: 'conversation.closed', conversationId: uuid(name) });
  }

  /** Accepts the open offer of a conversation for whoever has it. */
  accept(name: string): ReturnType<Scenario['send']> {
    return this.send({ kind: 'offer.accepted', ...this.offer(name) });
  }

  decline(name: string): ReturnType<Scenario['send']> {
    return this.send({ kind: 'offer.declined', ...this.offer(name) });
  }

  offer(name: string): { reservationId: string; agentId: string } {
    const phase = this.state.tasks.get(uuid(name))?.phase;
    if (phase?.name !== 'offered') throw new Error(`${name} is not offered but ${phase?.name ?? 'gone'}`);
    return { reservationId: phase.reservationId, agentId: phase.agentId };
  }

  /** Who has the conversation or is asked for it; null while it waits. */
  holder(name: string): string | null {
    const phase = this.state.tasks.get(uuid(name))?.phase;
    return phase && phase.name !== 'waiting' ? phase.agentId : null;
  }

  phase(name: string): string | undefined {
    return this.state.tasks.get(uuid(name))?.phase.name;
  }

  of<Type extends RoutingEventType>(type: Type): RoutingEventOf<Type>['data'][] {
    return this.events.flatMap((event) => (event.type === type ? [event.data as RoutingEventOf<Type>['data']] : []));
  }

  lastDecision(name: string): RoutingEventOf<'routing.decided.v1'>['data'] {
    const decision = this.of('routing.decided.v1').findLast((data) => data.taskId === uuid(name));
    if (!decision) throw new Error(`no decision about ${name}`);
    return decision;
  }

  reasons(name: string): Record<string, string> {
    const labels = new Map([...this.state.agents.values()].map((agent) => [agent.agentId, agent.label]));
    return Object.fromEntries(
      this.lastDecision(name).candidates.map((candidate) => [labels.get(candidate.agentId) ?? '', candidate.reason]),
    );
  }
}

export const typesOf = (events: readonly RoutingEvent[]): string[] => events.map((event) => event.type.replace(/\.v1$/, ''));
