import { isPlatformError, PlatformError, type Service } from '@centralita/contracts';
import { z } from 'zod';
import { EXIT_CONFIGURATION, loadConfig } from './config.js';
import { envUrl } from './environment.js';
import { createLogger, describeError } from './logger.js';
import { runMigrations, type Migrations } from './runtime/database.js';
import { drainOnSignals } from './runtime/drain.js';
import { startService, type ServiceOptions } from './start-service.js';

/** `main.js migrate`: applies what is missing by the role of DATABASE_MIGRATOR_URL. */
export const migrateFromEnv = async (service: Service, migrations: Migrations, env: NodeJS.ProcessEnv): Promise<void> => {
  const [settings] = loadConfig(
    env,
    z.object({ DATABASE_MIGRATOR_URL: envUrl('postgres', 'postgresql'), DATABASE_APP_ROLE: z.string().optional() }),
  );
  const logger = createLogger({ service });
  const applied = await runMigrations({
    url: settings.DATABASE_MIGRATOR_URL,
    migrations,
    ...(settings.DATABASE_APP_ROLE ? { appRole: settings.DATABASE_APP_ROLE } : {}),
  });
  logger.info({ applied }, 'migrated');
};

/** Tells the one message of a wrong configuration and exits 78; anything else exits 1 with its code and stack. */
export const exitWith = (error: unknown, service: string): never => {
  if (isPlatformError(error, 'CONFIGURATION_INVALID')) {
    process.stderr.write(`${service}: ${error.message}\n`);
    process.exit(EXIT_CONFIGURATION);
  }
  createLogger({ service }).fatal({ err: describeError(error) }, 'could not start');
  process.exit(1);
};

/**
 * Main of a service: `node dist/main.js migrate` applies the migrations and exits; without an argument it serves until SIGTERM,
 * which drains in the order of {@link DrainController} and exits 0, also while it still waits for migrations or for the log.
 */
export const runService = async <C>(options: ServiceOptions<C>): Promise<void> => {
  try {
    const [command] = process.argv.slice(2);
    if (command === 'migrate') return await migrateFromEnv(options.service, options.migrations ?? [], process.env);
    if (command !== undefined)
      throw new PlatformError('CONFIGURATION_INVALID', `unknown argument ${command}: it is migrate or nothing`);
    await startService(options, process.env, { supervise: drainOnSignals });
  } catch (error) {
    exitWith(error, options.service);
  }
};
