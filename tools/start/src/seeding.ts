import { v5 } from 'uuid';
import { tenantContext } from './context.js';
import { ApiClient } from './day/client.js';
import { rateCards } from './seed/rate-cards.js';
import type { dayPolicy } from './seed/policy.js';
import type { SeedTenant } from './seed/tenants.js';

const signIn = (gatewayUrl: string, tenant: SeedTenant): Promise<ApiClient> =>
  ApiClient.signIn(gatewayUrl, tenantContext(tenant).platform, []);

/** Defines queues, agents and rate cards of a tenant through the public API, as its platform admin would. */
export const seedTenant = async (gatewayUrl: string, tenant: SeedTenant): Promise<void> => {
  const admin = await signIn(gatewayUrl, tenant);
  // The same definition has the same key: seeding again at the next start changes nothing.
  const once = (path: string, body: unknown): { idempotencyKey: string } => ({
    idempotencyKey: v5(`${path} ${JSON.stringify(body)}`, tenant.tenantId),
  });
  const put = (path: string, body: unknown): Promise<unknown> => admin.put(path, body, once(path, body));
  // Queues first: an agent names them.
  for (const { queueId, ...queue } of tenant.queues) await put(`/v1/queues/${queueId}`, queue);
  for (const user of tenant.users) {
    if (user.agent !== null) await put(`/v1/agents/${user.id}`, { label: user.label, ...user.agent });
  }
  for (const card of rateCards) await admin.post('/v1/rate-cards', card, once('/v1/rate-cards', card));
};

/** Puts a routing policy in force; each call is a new version. */
export const publishPolicy = async (gatewayUrl: string, tenant: SeedTenant, policy: typeof dayPolicy): Promise<void> => {
  const admin = await signIn(gatewayUrl, tenant);
  await admin.put('/v1/routing-policy', policy);
};

/** Both tenants, with the policy first: it decides from the first conversation on. */
export const seedAll = async (
  { gatewayUrl, seeds }: { readonly gatewayUrl: string; readonly seeds: readonly SeedTenant[] },
  policy: typeof dayPolicy,
): Promise<void> => {
  await Promise.all(
    seeds.map(async (tenant) => {
      await publishPolicy(gatewayUrl, tenant, policy);
      await seedTenant(gatewayUrl, tenant);
    }),
  );
};
