import { z } from 'zod';
import { defineEvent } from '../define.js';
import { Instant, Uuid } from '../primitives.js';

const base = { topic: 'routing.events.v1', producers: ['routing'], key: 'subject', id: 'new', personal: [] } as const;
const own = { ...base, key: 'stream' } as const;
/** A task is one turn of a conversation in a queue; its id is the conversation's. */
const Task = { taskId: Uuid, conversationId: Uuid, subjectId: Uuid };
const Skill = z.string().max(64);

export const Presences = ['online', 'away', 'offline'] as const;

export const agentDefined = defineEvent({
  ...own,
  type: 'agent.defined.v1',
  consumers: ['conversation', 'audit-log'],
  summary: 'An agent exists, with skills, queues and capacity. The whole definition each time.',
  data: z.object({
    agentId: Uuid,
    label: z.string().max(64).describe('a pseudonym such as "Agent 12"'),
    skills: z.array(Skill).max(64),
    queueIds: z.array(Uuid).max(64),
    capacity: z.number().int().min(0).max(100),
  }),
});

export const agentPresenceChanged = defineEvent({
  ...own,
  type: 'agent.presence.changed.v1',
  consumers: [],
  summary: 'An agent went online, away or offline.',
  data: z.object({
    agentId: Uuid,
    presence: z.enum(Presences),
    changedAt: Instant,
    cause: z.enum(['agent', 'supervisor', 'offers-missed']),
  }),
});

export const agentCapacityChanged = defineEvent({
  ...own,
  type: 'agent.capacity.changed.v1',
  consumers: [],
  summary: 'How many conversations an agent may hold at once.',
  data: z.object({ agentId: Uuid, capacity: z.number().int().min(0).max(100), changedAt: Instant }),
});

export const queueDefined = defineEvent({
  ...own,
  type: 'queue.defined.v1',
  consumers: ['conversation'],
  summary: 'A queue and what it serves. The whole definition each time.',
  data: z.object({
    queueId: Uuid,
    name: z.string().max(64),
    phoneNumberIds: z.array(z.string().max(64)).max(1000),
    requiredSkills: z.array(Skill).max(16),
    languageSkill: z.boolean().describe("the customer's language is required until it is relaxed"),
    relaxLanguageAfterMs: z.number().int().min(0).nullable(),
    priority: z.number().int().min(0).max(1000),
  }),
});

export const routingPolicyPublished = defineEvent({
  ...own,
  type: 'routing.policy.published.v1',
  consumers: [],
  summary: 'The rules that decisions name by version.',
  data: z.object({
    policyVersion: z.number().int().min(1),
    selection: z.enum(['longest-idle']),
    offerTimeoutMs: z.number().int().min(100),
    wrapUpMs: z.number().int().min(0),
    closingWindowMs: z.number().int().min(0).describe('a waiting task whose window ends within this overtakes'),
    awayAfterMissedOffers: z.number().int().min(1).nullable(),
    publishedAt: Instant,
  }),
});

export const taskQueued = defineEvent({
  ...base,
  type: 'task.queued.v1',
  consumers: ['conversation', 'audit-log'],
  summary: 'A conversation waits for an agent.',
  data: z.object({
    ...Task,
    queueId: Uuid.nullable().describe('null: no queue serves this number; it waits visibly'),
    requiredSkills: z.array(Skill).max(16),
    language: z.string().max(8).nullable(),
    priority: z.number().int(),
    windowExpiresAt: Instant.nullable(),
    targetAgentId: Uuid.nullable().describe('a transfer to a colleague'),
    queuedAt: Instant,
    cause: z.enum(['opened', 'reopened', 'transferred']),
  }),
});

export const CandidateReasons = [
  'chosen',
  'longer_idle_won',
  'not_online',
  'at_capacity',
  'missing_skill',
  'not_in_queue',
  'declined_before',
  'wrapping',
  'not_the_target',
  'offer_open',
] as const;

export const routingDecided = defineEvent({
  ...base,
  type: 'routing.decided.v1',
  consumers: [],
  summary: 'Why this agent: every candidate with the facts that the decision used.',
  data: z.object({
    ...Task,
    decisionId: Uuid,
    policyVersion: z.number().int(),
    step: z.number().int().min(1).describe('ring of relaxation'),
    decidedAt: Instant,
    candidates: z
      .array(
        z.object({
          agentId: Uuid,
          eligible: z.boolean(),
          reason: z.enum(CandidateReasons),
          load: z.number().int(),
          capacity: z.number().int(),
          idleSince: Instant.nullable(),
        }),
      )
      .max(1000),
    chosenAgentId: Uuid.nullable(),
    rule: z.string().max(64).describe('for example longest-idle, transfer-target, nobody-eligible'),
  }),
});

const Reservation = { ...Task, reservationId: Uuid, agentId: Uuid };
export const reservationOffered = defineEvent({
  ...base,
  type: 'reservation.offered.v1',
  consumers: ['conversation'],
  summary: 'The conversation is offered to one agent and holds one place of that agent.',
  data: z.object({ ...Reservation, decisionId: Uuid, offeredAt: Instant, expiresAt: Instant }),
});
export const reservationAccepted = defineEvent({
  ...base,
  type: 'reservation.accepted.v1',
  consumers: [],
  summary: 'The agent took the offer.',
  data: z.object({ ...Reservation, acceptedAt: Instant }),
});
export const reservationDeclined = defineEvent({
  ...base,
  type: 'reservation.declined.v1',
  consumers: [],
  summary: 'The agent declined; the task goes back to its place in the queue.',
  data: z.object({ ...Reservation, declinedAt: Instant }),
});
export const reservationExpired = defineEvent({
  ...base,
  type: 'reservation.expired.v1',
  consumers: [],
  summary: 'Nobody answered the offer in time.',
  data: z.object({ ...Reservation, expiredAt: Instant }),
});
export const reservationRescinded = defineEvent({
  ...base,
  type: 'reservation.rescinded.v1',
  consumers: [],
  summary: 'The offer was taken back: the agent left, or the conversation was closed.',
  data: z.object({ ...Reservation, rescindedAt: Instant, cause: z.enum(['agent_left', 'task_ended', 'capacity_reduced']) }),
});

export const taskAssigned = defineEvent({
  ...base,
  type: 'task.assigned.v1',
  consumers: ['conversation', 'billing', 'audit-log'],
  summary: 'The agent works on the conversation from now on.',
  data: z.object({ ...Reservation, decisionId: Uuid, queueId: Uuid.nullable(), assignedAt: Instant }),
});
export const taskTransferred = defineEvent({
  ...base,
  type: 'task.transferred.v1',
  consumers: ['conversation', 'audit-log'],
  summary: 'The conversation left this agent for a queue or a colleague; a new task.queued follows.',
  data: z.object({
    ...Task,
    transferId: Uuid,
    fromAgentId: Uuid,
    toQueueId: Uuid.nullable(),
    toAgentId: Uuid.nullable(),
    transferredAt: Instant,
  }),
});
export const taskWrapping = defineEvent({
  ...base,
  type: 'task.wrapping.v1',
  consumers: ['conversation'],
  summary: 'The conversation is closed; the agent finishes notes and keeps the place until wrap-up ends.',
  data: z.object({ ...Task, agentId: Uuid, wrapUpUntil: Instant }),
});
export const taskReleased = defineEvent({
  ...base,
  type: 'task.released.v1',
  consumers: ['conversation', 'audit-log'],
  summary: "The agent's place is free again without completion, for example the agent was signed out for good.",
  data: z.object({ ...Task, agentId: Uuid, releasedAt: Instant }),
});
export const taskCompleted = defineEvent({
  ...base,
  type: 'task.completed.v1',
  consumers: ['conversation', 'audit-log'],
  summary: 'Wrap-up ended, or the conversation ended before anybody had it.',
  data: z.object({ ...Task, agentId: Uuid.nullable(), completedAt: Instant }),
});

export const routingEvents = [
  agentDefined,
  agentPresenceChanged,
  agentCapacityChanged,
  queueDefined,
  routingPolicyPublished,
  taskQueued,
  routingDecided,
  reservationOffered,
  reservationAccepted,
  reservationDeclined,
  reservationExpired,
  reservationRescinded,
  taskAssigned,
  taskTransferred,
  taskWrapping,
  taskReleased,
  taskCompleted,
] as const;
