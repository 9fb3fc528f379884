import { envInteger } from '@centralita/platform-nest';
import { z } from 'zod';

/** What audit-log takes from its environment beside the platform's settings. */
export const configSchema = z.object({
  AUDIT_SIGNING_KEY_FILE: z
    .string()
    .min(1)
    .describe('PEM file (PKCS8) with the Ed25519 key that signs checkpoints; readable by this service alone'),
  AUDIT_CHECKPOINT_INTERVAL_MS: envInteger(10, 3_600_000)
    .default(1_000)
    .describe('a checkpoint is signed when the last one is older than this and new leaves are published'),
  AUDIT_CHECKPOINT_LEAVES: envInteger(1, 1_000_000).default(1_000).describe('or when so many leaves are published'),
  AUDIT_REASON_PATIENCE_MS: envInteger(0, 600_000)
    .default(1_000)
    .describe('how long a reason that no assignment confirms yet waits for the events of routing before it is judged'),
});
export type Config = z.infer<typeof configSchema>;
