import { PlatformError } from '@centralita/contracts';
import { drainOnSignals, exitWith, migrateFromEnv } from '@centralita/platform-nest';
import { gatewayMigrations, startGateway } from './gateway.js';

try {
  const [command] = process.argv.slice(2);
  if (command === 'migrate') await migrateFromEnv('gateway', gatewayMigrations, process.env);
  else if (command !== undefined)
    throw new PlatformError('CONFIGURATION_INVALID', `unknown argument ${command}: it is migrate or nothing`);
  else await startGateway(process.env, { supervise: drainOnSignals });
} catch (error) {
  exitWith(error, 'gateway');
}
