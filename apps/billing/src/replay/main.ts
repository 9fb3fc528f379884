import { openEventLog } from '@centralita/event-log';
import { createDataSource, Database } from '@centralita/event-store';
import { envUrl, exitWith, kafkaConnection, loadConfig } from '@centralita/platform-nest';
import { z } from 'zod';
import { AccountBook } from '../accounts.js';
import { replay } from './replay.js';

// node dist/replay/main.js: rebuilds the usage fold in the migrated, empty database of DATABASE_URL and prints its digests as JSON.
try {
  const [config, kafka] = loadConfig(
    process.env,
    z.object({
      DATABASE_URL: envUrl('postgres', 'postgresql'),
      ACCOUNTS_FILE: z.string().min(1),
    }),
    kafkaConnection,
  );
  const log = await openEventLog({ ...kafka, clientId: 'billing-replay' });
  const dataSource = createDataSource({ url: config.DATABASE_URL, poolSize: 2, applicationName: 'billing-replay' });
  await dataSource.initialize();
  const db = new Database(dataSource);
  try {
    process.stdout.write(`${JSON.stringify(await replay(log, db, AccountBook.read(config.ACCOUNTS_FILE)))}\n`);
  } finally {
    await db.close();
    await log.close();
  }
} catch (error) {
  exitWith(error, 'billing replay');
}
