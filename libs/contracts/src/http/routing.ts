import { z } from 'zod';
import { Presences, agentDefined, queueDefined, routingDecided, routingPolicyPublished } from '../events/routing.js';
import { Instant, Uuid } from '../primitives.js';

export const PresenceBody = z.object({ presence: z.enum(Presences) });

export const Offer = z.object({
  reservationId: Uuid,
  taskId: Uuid,
  conversationId: Uuid,
  queueId: Uuid.nullable(),
  queueName: z.string().nullable(),
  language: z.string().nullable(),
  waitingSince: Instant,
  offeredAt: Instant,
  expiresAt: Instant,
  windowExpiresAt: Instant.nullable(),
  why: z.object({ rule: z.string(), skills: z.array(z.string()), step: z.number().int() }),
});
export type Offer = z.infer<typeof Offer>;

export const Me = z.object({
  agentId: Uuid,
  label: z.string(),
  presence: z.enum(Presences),
  capacity: z.number().int(),
  load: z.number().int(),
  skills: z.array(z.string()),
  queueIds: z.array(Uuid),
  offers: z.array(Offer),
  tasks: z.array(
    z.object({ taskId: Uuid, state: z.enum(['assigned', 'wrapping']), since: Instant, wrapUpUntil: Instant.nullable() }),
  ),
  serverTime: Instant,
});
export type Me = z.infer<typeof Me>;

export const Board = z.object({
  at: Instant,
  queues: z.array(
    z.object({
      queueId: Uuid.nullable(),
      name: z.string(),
      waiting: z.number().int(),
      longestWaitSince: Instant.nullable(),
      closingSoon: z.number().int(),
      unserved: z.number().int(),
    }),
  ),
  agents: z.array(
    z.object({
      agentId: Uuid,
      label: z.string(),
      presence: z.enum(Presences),
      load: z.number().int(),
      capacity: z.number().int(),
      offers: z.number().int(),
    }),
  ),
  waiting: z.array(
    z.object({
      taskId: Uuid,
      conversationId: Uuid,
      queueId: Uuid.nullable(),
      queuedAt: Instant,
      language: z.string().nullable(),
      windowExpiresAt: Instant.nullable(),
      whyWaiting: z.string(),
    }),
  ),
});
export type Board = z.infer<typeof Board>;

export const Decision = routingDecided.data;
export const DecisionList = z.object({ items: z.array(Decision) });
export const AgentBody = agentDefined.data.omit({ agentId: true });
export const QueueBody = queueDefined.data.omit({ queueId: true });
export const PolicyBody = routingPolicyPublished.data.omit({ policyVersion: true, publishedAt: true });
export const QueueList = z.object({ items: z.array(queueDefined.data) });
export const AgentList = z.object({ items: z.array(agentDefined.data) });
