import type { EventData } from '@centralita/contracts';
import type { Millis } from './instants.js';

export type Presence = EventData<'agent.presence.changed.v1'>['presence'];
export type Queue = Readonly<EventData<'queue.defined.v1'>>;
export type Policy = Readonly<Omit<EventData<'routing.policy.published.v1'>, 'publishedAt'>>;

/** How many places of an agent are taken, and by what. All three count against capacity. */
export type Places = { readonly offered: number; readonly assigned: number; readonly wrapping: number };

export type Agent = {
  readonly agentId: string;
  readonly label: string;
  readonly skills: readonly string[];
  readonly queueIds: readonly string[];
  readonly capacity: number;
  readonly presence: Presence;
  /** Last time the agent came online, took, refused, missed or ended work; null until the first time online. */
  readonly idleSince: Millis | null;
  /** Offers missed in a row; an answer of either kind, or coming online, starts again at zero. */
  readonly missed: number;
  readonly places: Places;
};

export type Phase =
  | { readonly name: 'waiting' }
  | {
      readonly name: 'offered';
      readonly reservationId: string;
      readonly decisionId: string;
      readonly agentId: string;
      readonly offeredAt: Millis;
      readonly expiresAt: Millis;
    }
  | { readonly name: 'assigned'; readonly agentId: string; readonly since: Millis }
  | { readonly name: 'wrapping'; readonly agentId: string; readonly since: Millis; readonly until: Millis };

/** One live turn of a conversation. A completed task leaves the state: what is past is in the events. */
export type Task = {
  readonly taskId: string;
  readonly conversationId: string;
  readonly subjectId: string;
  readonly queueId: string | null;
  readonly requiredSkills: readonly string[];
  readonly language: string | null;
  readonly priority: number;
  readonly windowExpiresAt: Millis | null;
  readonly targetAgentId: string | null;
  readonly queuedAt: Millis;
  readonly cause: EventData<'task.queued.v1'>['cause'];
  readonly phase: Phase;
  /** Agents who declined or missed this task or transferred it away, and when. */
  readonly refusals: ReadonlyMap<string, Millis>;
  /** Ring for which a decision already says why nobody got the task; null when it must be said (again). */
  readonly explainedStep: number | null;
};

/** A routing domain (by default a tenant): a fold of its events in the order of `domain_seq`. */
export type RoutingState = {
  /** `domain_seq` of the last event folded. */
  readonly position: number;
  readonly agents: ReadonlyMap<string, Agent>;
  readonly queues: ReadonlyMap<string, Queue>;
  readonly tasks: ReadonlyMap<string, Task>;
  /** Open offers: reservation to task. */
  readonly offers: ReadonlyMap<string, string>;
  readonly policy: Policy;
};

/**
 * In force until a policy is published. 30 s is the usual time for messaging offers, two misses in a row mean that nobody sits
 * there; a window that ends within two hours is urgent.
 */
export const defaultPolicy: Policy = {
  policyVersion: 0,
  selection: 'longest-idle',
  offerTimeoutMs: 30_000,
  wrapUpMs: 30_000,
  closingWindowMs: 2 * 3_600_000,
  awayAfterMissedOffers: 2,
};

export const initialState: RoutingState = {
  position: 0,
  agents: new Map(),
  queues: new Map(),
  tasks: new Map(),
  offers: new Map(),
  policy: defaultPolicy,
};

export const queueOf = (state: Pick<RoutingState, 'queues'>, queueId: string | null): Queue | undefined =>
  queueId === null ? undefined : state.queues.get(queueId);

/** Places taken: open offers, assigned and wrapping tasks. */
export const loadOf = (agent: Agent): number => agent.places.offered + agent.places.assigned + agent.places.wrapping;
export const hasRoom = (agent: Agent): boolean => loadOf(agent) < agent.capacity;
