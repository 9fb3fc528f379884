import { keyringMigrations } from '@centralita/keyring';
import { migratorEnv, runMigrations } from '@centralita/platform-nest';
import { Command } from 'commander';
import type { Io, Outcome } from '../../io.js';
import { DONE } from '../exit-codes.js';
import { readSettings } from '../log.js';
import { counted, operation } from '../operation.js';

/** `ops keyring migrate`: the keyring has no service of its own, so its schema is made by this command. */
export const keyringCommand = (io: Io, outcome: Outcome): Command => {
  const keyring = new Command('keyring').description('the database with the wrapped keys');
  keyring.addCommand(
    operation(io, outcome, 'migrate', 'apply the migrations that are missing, as the owner (DATABASE_MIGRATOR_URL)', async () => {
      const settings = readSettings(io, migratorEnv);
      const applied = await runMigrations({
        url: settings.DATABASE_MIGRATOR_URL,
        migrations: [...keyringMigrations],
        ...(settings.DATABASE_APP_ROLE ? { appRole: settings.DATABASE_APP_ROLE } : {}),
      });
      return {
        exitCode: DONE,
        json: { applied },
        lines: [...applied.map(String), `applied ${counted(applied.length, 'migration')}`],
      };
    }),
  );
  return keyring;
};
