import { openEventLog } from '@centralita/event-log';
import { createDataSource, Database } from '@centralita/event-store';
import { envDatabase, kafkaConnection, loadConfig } from '@centralita/platform-nest';
import { z } from 'zod';
import { AccountBook } from '../accounts.js';
import { replay } from './replay.js';

export const replayEnv = z.object({
  DATABASE_URL: envDatabase.describe('a migrated database with nothing in it; never that of the service'),
  ACCOUNTS_FILE: z.string().min(1).describe('JSON file with the accounts, as the service has it'),
});

/** `main.js replay`: rebuilds the usage fold in an empty database and prints its digests as one line of JSON. 0 when it is done. */
export const runReplay = async (env: NodeJS.ProcessEnv, print: (line: string) => void): Promise<number> => {
  const [config, kafka] = loadConfig(env, replayEnv, kafkaConnection);
  const log = await openEventLog({ ...kafka, clientId: 'billing-replay' });
  const dataSource = createDataSource({ url: config.DATABASE_URL, poolSize: 2, applicationName: 'billing-replay' });
  try {
    await dataSource.initialize();
    const db = new Database(dataSource);
    try {
      print(JSON.stringify(await replay(log, db, AccountBook.read(config.ACCOUNTS_FILE))));
    } finally {
      await db.close();
    }
  } finally {
    await log.close();
  }
  return 0;
};
