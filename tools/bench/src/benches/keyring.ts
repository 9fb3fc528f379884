import { createDataSource, Database } from '@centralita/event-store';
import { keyringMigration } from '@centralita/keyring';

/** The keyring has no service of its own that could migrate it. */
export const migrateKeyring = async (url: string): Promise<void> => {
  const owner = new Database(createDataSource({ url, poolSize: 1, migrations: [keyringMigration] }));
  await owner.migrate();
  await owner.close();
};
