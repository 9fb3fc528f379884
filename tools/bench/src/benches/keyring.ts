import { createDataSource, Database } from '@centralita/event-store';
import { keyringMigrations } from '@centralita/keyring';

/** The keyring has no service of its own that could migrate it. */
export const migrateKeyring = async (url: string): Promise<void> => {
  const owner = new Database(createDataSource({ url, poolSize: 1, migrations: keyringMigrations }));
  await owner.migrate();
  await owner.close();
};
