import { envInteger } from '@centralita/platform-nest';
import { z } from 'zod';

/** Settings of routing on top of the platform's. */
export const routingEnv = z.object({
  ROUTING_LEASE_MS: envInteger(500, 600_000)
    .default(10_000)
    .describe('how long a routing domain waits for a writer that has died before another one takes over'),
  ROUTING_COMMAND_TIMEOUT_MS: envInteger(100, 30_000)
    .default(5_000)
    .describe('how long a command waits for the writer; afterwards 504, and the same idempotency key asks again'),
});
export type RoutingConfig = z.infer<typeof routingEnv>;
