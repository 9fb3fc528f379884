import { openEventLog } from '@centralita/event-log';
import { createDataSource, Database } from '@centralita/event-store';
import { envDatabase, kafkaConnection, loadConfig } from '@centralita/platform-nest';
import { z } from 'zod';
import { AccountBook } from '../accounts.js';
import { proveReplay } from './prove.js';
import { replay } from './replay.js';

export const replayEnv = z.object({
  DATABASE_URL: envDatabase.describe('a migrated database for replays; never that of the service'),
  LIVE_DATABASE_URL: envDatabase
    .describe('application role of the service’s database: when given, the replay must equal it, and what came of it is an event')
    .optional(),
  ACCOUNTS_FILE: z.string().min(1).describe('JSON file with the accounts, as the service has it'),
});

const open = (url: string): Database => new Database(createDataSource({ url, poolSize: 2, applicationName: 'billing-replay' }));

/**
 * `main.js replay`: rebuilds the usage fold in a database of its own and prints its digests as one line of JSON. With LIVE_DATABASE_URL it
 * compares with the live fold and appends `replay.verified`: 0 when they are equal, 1 when not.
 */
export const runReplay = async (env: NodeJS.ProcessEnv, print: (line: string) => void): Promise<number> => {
  const [config, kafka] = loadConfig(env, replayEnv, kafkaConnection);
  const accounts = AccountBook.read(config.ACCOUNTS_FILE);
  const log = await openEventLog({ ...kafka, clientId: 'billing-replay' });
  const scratch = open(config.DATABASE_URL);
  const live = config.LIVE_DATABASE_URL === undefined ? null : open(config.LIVE_DATABASE_URL);
  try {
    if (live === null) {
      print(JSON.stringify(await replay(log, scratch, accounts)));
      return 0;
    }
    const proof = await proveReplay(log, scratch, live, accounts);
    print(JSON.stringify(proof));
    return proof.equal ? 0 : 1;
  } finally {
    await scratch.close();
    await live?.close();
    await log.close();
  }
};
