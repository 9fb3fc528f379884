import { objectStoreEnv, objectStoreOptions } from '@centralita/object-store';
import { envInteger, envUrl, kafkaEnv, keyProviderEnv, platformEnv, serviceEnv } from '@centralita/platform-nest';
import { z } from 'zod';

export const Roles = ['webhook', 'media', 'sender'] as const;
export type Role = (typeof Roles)[number];

/** Chooses what this process is; read before everything else. */
export const roleEnv = z.object({ INGEST_ROLE: z.enum(Roles).describe('webhook, media or sender: each its own process') });

const appsFile = z
  .string()
  .min(1)
  .describe('JSON file with the Meta apps, their secrets and numbers; mounted, not in the environment');
/** Media and payloads too big for a record, as ciphertext. */
const mediaStore = objectStoreEnv('MEDIA');
const requireMediaStore = (env: Readonly<Record<string, unknown>>, context: z.RefinementCtx): void => {
  objectStoreOptions('MEDIA', env, (name, message) => {
    context.addIssue({ code: 'custom', path: [name], message });
  });
};

/** The webhook has no API behind the gateway, so it takes less than a service does. */
export const webhookEnv = platformEnv
  .extend({
    ...roleEnv.shape,
    ...kafkaEnv.shape,
    ...serviceEnv.pick({ DATABASE_URL: true, DATABASE_POOL_SIZE: true }).shape,
    KEYRING_DATABASE_URL: serviceEnv.shape.KEYRING_DATABASE_URL.unwrap(),
    ...keyProviderEnv.shape,
    APPS_FILE: appsFile,
    ...mediaStore,
    // Half a lease of a data key: a key is asked for again when its lease would end within the budget.
    WEBHOOK_BUDGET_MS: envInteger(100, 30_000)
      .default(2000)
      .describe('after this the answer is 503 and the provider delivers again; it wants an answer within seconds'),
    WEBHOOK_REQUEST_TIMEOUT_MS: envInteger(100, 60_000)
      .default(10_000)
      .describe('longest time in which a delivery must arrive; slower connections are closed'),
    WEBHOOK_MAX_CONNECTIONS: envInteger(1, 100_000).default(2000).describe('more connections are closed at once'),
    WEBHOOK_MAX_BYTES_ARRIVING: envInteger(4 * 1024 * 1024, 4_000_000_000)
      .default(64 * 1024 * 1024)
      .describe('bytes of bodies that are not complete yet; beyond, the one that has been arriving longest is answered 429'),
    WEBHOOK_MAX_BYTES_UNDER_WAY: envInteger(1, 4_000_000_000)
      .default(64 * 1024 * 1024)
      .describe('bytes of signed deliveries that may wait for the log; beyond, the answer is 503 at once'),
  })
  .superRefine(requireMediaStore);

const graph = {
  APPS_FILE: appsFile,
  GRAPH_API_URL: envUrl('http', 'https')
    .default('https://graph.facebook.com')
    .describe('address of the Graph API, without version'),
  GRAPH_API_VERSION: z
    .string()
    .regex(/^v\d+\.\d+$/, 'must look like v25.0')
    .default('v25.0')
    .describe('version of the Graph API that is called'),
  GRAPH_TIMEOUT_MS: envInteger(50, 120_000).default(10_000).describe('longest wait for one answer of the provider'),
};

export const senderEnv = z.object({
  ...roleEnv.shape,
  ...graph,
  SEND_RATE_PER_SECOND: envInteger(1, 1000)
    .default(80)
    .describe('calls per second and number, in this process; the provider allows 80 in and out together, 20 in coexistence'),
  SEND_CONCURRENCY: envInteger(1, 1000).default(32).describe('calls under way at the same time'),
  SEND_PAIR_INTERVAL_MS: envInteger(0, 60_000)
    .default(6000)
    .describe('pause between two messages to one customer after a burst; the provider refuses what comes faster'),
  SEND_PAIR_BURST: envInteger(1, 1000)
    .default(45)
    .describe('messages to one customer that may go out together; they are paid back by later pauses'),
  UNRESOLVED_AFTER_SECONDS: envInteger(1, 86_400)
    .default(300)
    .describe('how long a call without an answer waits for a status before the agent is told'),
});
export type SenderEnv = z.infer<typeof senderEnv>;

export const mediaEnv = z
  .object({
    ...roleEnv.shape,
    ...graph,
    ...mediaStore,
    MEDIA_MAX_BYTES: envInteger(1, 2_000_000_000)
      .default(100 * 1024 * 1024)
      .describe('bigger media is declared lost; the provider takes documents up to 100 MB'),
    MEDIA_CONCURRENCY: envInteger(1, 100).default(4).describe('media fetched at the same time, as far as the memory goes'),
    MEDIA_MEMORY_BYTES: envInteger(1, 64_000_000_000)
      .default(500 * 1024 * 1024)
      .describe(
        'what media under way may hold in memory: three fifths for what is fetched, two for what is read; the rest waits. The default takes one of the biggest of each',
      ),
    MEDIA_BACKOFF_MS: envInteger(10, 600_000)
      .default(2000)
      .describe(
        'pause before the second try, twice as long before each further one, at most ten minutes; many errors make the provider block',
      ),
  })
  .superRefine(requireMediaStore);
export type MediaEnv = z.infer<typeof mediaEnv>;
