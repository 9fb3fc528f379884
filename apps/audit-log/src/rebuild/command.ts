import { openEventLog } from '@centralita/event-log';
import { createDataSource, Database } from '@centralita/event-store';
import { envDatabase, kafkaConnection, loadConfig } from '@centralita/platform-nest';
import { z } from 'zod';
import { logIdOf } from '../log-identity.js';
import { Signer } from '../signing/signer.js';
import { compareStored } from './compare.js';
import { rebuild } from './rebuild.js';

export const rebuildEnv = z.object({
  AUDIT_SIGNING_KEY_FILE: z.string().min(1).describe('its public half verifies the checkpoints'),
  DATABASE_URL: envDatabase.describe('when given, the stored leaves are compared with the log too').optional(),
});

/**
 * `node dist/main.js rebuild`: derives all logs from the event log and compares with every checkpoint. Prints one line per log and
 * per difference, the first difference first. 0 when all roots were reached, 1 when something differs.
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
    for (const { text } of all) print(`difference: ${text}`);
    print(all.length === 0 ? 'result: OK' : `result: ${all.length} differences`);
    return all.length === 0 ? 0 : 1;
  } finally {
    await log.close();
    await db?.close();
  }
};

const tenantOf = (origin: string): string => origin.replace(/^centralita\//, '');
