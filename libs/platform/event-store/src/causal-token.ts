import { setTimeout as pause } from 'node:timers/promises';
import { PlatformError, Topics, Uuid } from '@centralita/contracts';
import { z } from 'zod';
import type { Database } from './database.js';

const Content = z.tuple([z.enum(Topics), Uuid, z.string().regex(/^[1-9]\d{0,18}$/)]);

const decode = (token: string): { topic: string; key: string; keyVersion: bigint } => {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
  } catch {
    json = null;
  }
  const parsed = Content.safeParse(json);
  if (!parsed.success) throw new PlatformError('VALIDATION_FAILED', 'this is not a causal token');
  const [topic, key, version] = parsed.data;
  return { topic, key, keyVersion: BigInt(version) };
};

const FIRST_LOOK_MS = 5;
const MOST_MS = 50;

/** "I have seen this": the newest event that a command made, for the next command on any service. Opaque to clients. */
export const causalToken = {
  encode: (topic: string, key: string, keyVersion: bigint): string =>
    Buffer.from(JSON.stringify([topic, key, keyVersion.toString()]), 'utf8').toString('base64url'),

  /**
   * Returns when this service has the event: its own store holds that version, or its group has applied it. A service that does
   * not read the topic has nothing to wait for. Throws CAUSE_NOT_SEEN (retryable) after `timeoutMs`, VALIDATION_FAILED for what is
   * no token.
   */
  waitFor: async (db: Database, groupId: string, tenantId: string, token: string, timeoutMs = 2_000): Promise<void> => {
    const { topic, key, keyVersion } = decode(token);
    const deadline = performance.now() + timeoutMs;
    for (let wait = FIRST_LOOK_MS; ; wait = Math.min(wait * 2, MOST_MS)) {
      const [row] = await db.withTenant(tenantId, (tx) =>
        tx.query<{ seen: boolean }>(
          `select exists (select from key_head where tenant_id = $1 and topic = $3 and key = $4 and last_version >= $5)
               or exists (select from key_watermark where tenant_id = $1 and group_id = $2 and topic = $3 and key = $4 and last_version >= $5)
               or not exists (select from consumer_offset where group_id = $2 and topic = $3) as seen`,
          [tenantId, groupId, topic, key, keyVersion],
        ),
      );
      if (row?.seen) return;
      if (performance.now() + wait > deadline)
        throw new PlatformError('CAUSE_NOT_SEEN', 'this service has not seen the event of the causal token yet', { topic });
      await pause(wait);
    }
  },
};
