import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { createSimulator } from './server.js';
import { AppsFile } from './world.js';

const Config = z.object({
  APPS_FILE: z.string(),
  WEBHOOK_URL: z.url(),
  SIMULATOR_PORT: z.coerce.number().int().default(0),
  SIMULATOR_SEED: z.coerce.number().int().default(1),
  SIMULATOR_FREE_TIER: z.coerce.number().int().min(0).default(1000),
  SIMULATOR_DUPLICATE_PERCENT: z.coerce.number().int().min(0).max(100).default(5),
  SIMULATOR_REDELIVERIES: z.coerce.number().int().min(0).max(7).default(0),
});

const parsed = Config.safeParse(process.env);
if (!parsed.success) {
  process.stderr.write(`The simulator's configuration is wrong:\n${z.prettifyError(parsed.error)}\n`);
  process.exit(78);
}
const config = parsed.data;
const server = createSimulator({
  apps: AppsFile.parse(JSON.parse(readFileSync(config.APPS_FILE, 'utf8'))).apps,
  webhookUrl: config.WEBHOOK_URL,
  seed: config.SIMULATOR_SEED,
  freeTier: config.SIMULATOR_FREE_TIER,
  duplicatePercent: config.SIMULATOR_DUPLICATE_PERCENT,
  redeliveries: config.SIMULATOR_REDELIVERIES,
});
const address = await server.listen({ host: '127.0.0.1', port: config.SIMULATOR_PORT });
process.stdout.write(`${JSON.stringify({ level: 30, msg: 'listening', url: address })}\n`);
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void server.close().then(() => process.exit(0)));
