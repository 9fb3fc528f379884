import { v5 } from 'uuid';

/** Queues that share any agent form one routing domain. By default that is the tenant. */
export const domainOf = (tenantId: string): string => tenantId;
export const taskStream = (tenantId: string, conversationId: string): string => v5(`task:${conversationId}`, tenantId);
export const policyStream = (tenantId: string): string => v5('routing-policy', tenantId);
/** Ids of decisions and reservations: from the task and the domain's position, so that deciding again gives them again. */
export const derivedIds =
  (tenantId: string) =>
  (name: string): string =>
    v5(name, domainOf(tenantId));
