import { PlatformError } from '@centralita/contracts';
import { rewrapTenantKeys } from '@centralita/keyring';
import { keyProviderConnection, migratorEnv } from '@centralita/platform-nest';
import { Command } from 'commander';
import type { Io, Outcome } from '../../io.js';
import { DONE } from '../exit-codes.js';
import { operationRecord, readSettings, withLog } from '../log.js';
import { counted, operation } from '../operation.js';

/** `ops key rotate`: after the key of the provider was rotated, or for a move to another provider. */
export const keyCommand = (io: Io, outcome: Outcome): Command => {
  const key = new Command('key').description('the key that wraps the keys of the tenants');
  key.addCommand(
    operation(
      io,
      outcome,
      'rotate',
      'wrap the keys of all tenants under the newest version of the key; may be stopped and run again',
      async () => {
        const { DATABASE_MIGRATOR_URL: databaseUrl } = readSettings(io, migratorEnv.pick({ DATABASE_MIGRATOR_URL: true }));
        const connection = readSettings(io, keyProviderConnection);
        if ('missing' in connection) throw new PlatformError('CONFIGURATION_INVALID', connection.missing);
        // The log first: what cannot be recorded is not begun.
        return withLog(io, 'key', async ({ log, principal }) => {
          await log.admin.topicIds(['operations.events.v1']);
          const done = await rewrapTenantKeys({ databaseUrl, provider: connection.open() });
          const now = new Date();
          const data = {
            provider: done.provider,
            version: done.version,
            keys: String(done.rewrapped),
            principal,
            at: now.toISOString(),
          };
          await log.append([operationRecord('keyring.rewrapped.v1', data, now)]);
          return {
            exitCode: DONE,
            json: done,
            lines: [
              `wrapped ${counted(done.rewrapped, 'tenant')} again, ${counted(done.current, 'tenant')} before; ${done.provider} version ${done.version}`,
            ],
          };
        });
      },
    ),
  );
  return key;
};
