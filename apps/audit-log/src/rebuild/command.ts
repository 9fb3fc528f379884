import { hash, randomUUID } from 'node:crypto';
import { openEventLog } from '@centralita/event-log';
import { createDataSource, Database, EventStore, laneId, PLATFORM_TENANT } from '@centralita/event-store';
import { envDatabase, kafkaConnection, loadConfig } from '@centralita/platform-nest';
import { z } from 'zod';
import { logIdOf } from '../log-identity.js';
import { Signer } from '../signing/signer.js';
import { compareStored } from './compare.js';
import { rebuild, type RebuiltLog } from './rebuild.js';

export const rebuildEnv = z.object({
  AUDIT_SIGNING_KEY_FILE: z.string().min(1).describe('its public half verifies the checkpoints'),
  DATABASE_URL: envDatabase.describe('when given, the stored leaves are compared with the log too').optional(),
});

/**
 * `node dist/main.js rebuild`: derives all logs from the event log and compares with every checkpoint. Prints one line per log and
 * per difference, the first difference first. With a database what came of it is an event in the service's own store. 0 when all roots were reached, 1 when something differs.
 */
export const runRebuild = async (env: NodeJS.ProcessEnv, print: (line: string) => void): Promise<number> => {
  const [settings, kafka] = loadConfig(env, rebuildEnv, kafkaConnection);
  const signer = Signer.read(settings.AUDIT_SIGNING_KEY_FILE);
  const log = await openEventLog({ ...kafka, clientId: 'centralita-audit-log-rebuild' });
  const db = settings.DATABASE_URL ? new Database(createDataSource({ url: settings.DATABASE_URL, poolSize: 2 })) : null;
  try {
    const { logs, differences } = await rebuild(log, (origin) => signer.key(tenantOf(origin)));
    const all = [...differences];
    for (const rebuilt of logs) {
      const tenantId = tenantOf(rebuilt.origin);
      if (db && logIdOf(tenantId) === rebuilt.logId) all.push(...(await compareStored(db, tenantId, rebuilt)));
      print(`log ${rebuilt.origin} size ${rebuilt.size} root ${rebuilt.root} checkpoints ${rebuilt.checkpoints}`);
    }
    if (db) await recordVerified(db, logs, all.length);
    for (const { text } of all) print(`difference: ${text}`);
    print(all.length === 0 ? 'result: OK' : `result: ${all.length} differences`);
    return all.length === 0 ? 0 : 1;
  } finally {
    await log.close();
    await db?.close();
  }
};

/** `ledger.verified`: the service's relay brings it onto the log. */
export const recordVerified = async (db: Database, logs: readonly RebuiltLog[], differences: number): Promise<void> => {
  const roots = logs.map(({ origin, size, root }) => `${origin} ${size} ${root}\n`).sort();
  const lane = laneId(PLATFORM_TENANT, 'audit-log', 0);
  const data = {
    runId: randomUUID(),
    equal: differences === 0,
    logs: logs.length,
    checkpoints: String(logs.reduce((sum, { checkpoints }) => sum + checkpoints, 0)),
    rootsDigest: hash('sha256', roots.join('')),
    differences,
    verifiedAt: new Date().toISOString(),
  };
  const event = { key: lane, streamId: lane, expectedVersion: 'any' as const, type: 'ledger.verified.v1' as const, data };
  await db.withTenant(PLATFORM_TENANT, (tx) =>
    new EventStore({ service: 'audit-log' }).append(tx, 'operations.events.v1', [event]),
  );
};

const tenantOf = (origin: string): string => origin.replace(/^centralita\//, '');
