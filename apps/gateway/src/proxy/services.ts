import type { Service } from '@centralita/contracts';
import type { GatewayConfig } from '../config.js';

export type Upstream = Exclude<Service, 'gateway'>;

/** Who owns which part of the public API, by the first segment after `/v1`. What stands nowhere here is not public. */
export const ownerOfSegment: Readonly<Record<string, Upstream>> = {
  inbox: 'conversation',
  conversations: 'conversation',
  contacts: 'conversation',
  templates: 'conversation',
  dispositions: 'conversation',
  me: 'routing',
  offers: 'routing',
  board: 'routing',
  tasks: 'routing',
  decisions: 'routing',
  agents: 'routing',
  queues: 'routing',
  'routing-policy': 'routing',
  statements: 'billing',
  usage: 'billing',
  'usage-balance': 'billing',
  'rate-cards': 'billing',
  'billing-digest': 'billing',
  periods: 'billing',
  audit: 'audit-log',
  'access-records': 'audit-log',
  records: 'audit-log',
  checkpoints: 'audit-log',
  checkpoint: 'audit-log',
  consistency: 'audit-log',
  'subjects-history': 'audit-log',
  keys: 'audit-log',
  exports: 'audit-log',
  media: 'ingest',
  subjects: 'ingest',
};

export const upstreams: readonly Upstream[] = ['conversation', 'routing', 'billing', 'audit-log', 'ingest'];

/** Services whose feeds make up the live stream. */
export const liveServices = ['conversation', 'routing'] as const satisfies readonly Upstream[];
export type LiveService = (typeof liveServices)[number];

export const addressOf = (config: GatewayConfig, service: Upstream): string =>
  ({
    conversation: config.CONVERSATION_URL,
    routing: config.ROUTING_URL,
    billing: config.BILLING_URL,
    'audit-log': config.AUDIT_LOG_URL,
    ingest: config.INGEST_URL,
  })[service].replace(/\/$/, '');
