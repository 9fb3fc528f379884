import type { Policy, Presence, Queue } from './state.js';
import type { Millis } from './instants.js';

type Conversation = {
  readonly conversationId: string;
  readonly subjectId: string;
  readonly phoneNumberId: string;
  readonly language: string | null;
  readonly windowExpiresAt: Millis | null;
};

export type AgentDefinition = {
  readonly agentId: string;
  readonly label: string;
  readonly skills: readonly string[];
  readonly queueIds: readonly string[];
  readonly capacity: number;
};

/**
 * What can happen to a routing domain. Everything that a decision needs and the state does not hold stands in the input, so that
 * the recorded inputs, in their order, always give the recorded events.
 */
export type RoutingFact =
  | ({ readonly kind: 'conversation.opened' } & Conversation)
  | ({ readonly kind: 'conversation.reopened' } & Conversation)
  | { readonly kind: 'conversation.closed'; readonly conversationId: string }
  | {
      readonly kind: 'transfer.requested';
      readonly conversationId: string;
      readonly transferId: string;
      readonly agentId: string;
      readonly toQueueId: string | null;
      readonly toAgentId: string | null;
      readonly windowExpiresAt: Millis | null;
    }
  | { readonly kind: 'window.moved'; readonly conversationId: string; readonly windowExpiresAt: Millis }
  | {
      readonly kind: 'presence.set';
      readonly agentId: string;
      readonly presence: Presence;
      readonly cause: 'agent' | 'supervisor';
    }
  | { readonly kind: 'offer.accepted'; readonly reservationId: string; readonly agentId: string }
  | { readonly kind: 'offer.declined'; readonly reservationId: string; readonly agentId: string }
  | { readonly kind: 'wrap-up.ended'; readonly taskId: string; readonly agentId: string }
  | { readonly kind: 'agent.defined'; readonly agent: AgentDefinition }
  | {
      readonly kind: 'queue.defined';
      readonly queue: Queue;
      /** Business number of each task that waits without a queue: no event of routing carries it. */
      readonly unserved: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'policy.published'; readonly policy: Omit<Policy, 'policyVersion'> }
  /** A deadline passed: see `nextDeadline`. */
  | { readonly kind: 'timer' };

/**
 * A fact and its two times, which differ when nobody could decide for a while. What was due by `receivedAt` is decided first, so that an
 * answer that came in time holds; waits and wrap-ups count from it. Whatever the input brings about happens `at` the time of the decision,
 * which is never before `receivedAt`: an offer is open for its full time, however old the input is that led to it. Neither time ever runs
 * backwards from one input to the next.
 */
export type RoutingInput = RoutingFact & { readonly receivedAt: Millis; readonly at: Millis };
export type RoutingInputOf<Kind extends RoutingFact['kind']> = Extract<RoutingInput, { kind: Kind }>;
