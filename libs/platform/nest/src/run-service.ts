import { isPlatformError, PlatformError, type Service } from '@centralita/contracts';
import { z } from 'zod';
import { EXIT_CONFIGURATION, loadConfig } from './config.js';
import { envDatabase } from './environment.js';
import { createLogger, describeError } from './logger.js';
import { runMigrations, type Migrations } from './runtime/database.js';
import { drainOnSignals } from './runtime/drain.js';
import { startService, type ServiceOptions } from './start-service.js';

/** What `migrate` takes from its environment; migrations themselves ask for the role that publishes. */
export const migratorEnv = z.object({
  DATABASE_MIGRATOR_URL: envDatabase.describe('role that owns the database'),
  DATABASE_APP_ROLE: z.string().optional().describe('role of the services; without it the database’s name and `_app`'),
  DATABASE_RELAY_ROLE: z.string().optional().describe('role that publishes; without it the database’s name and `_relay`'),
});

/** `main.js migrate`: applies what is missing by the role of DATABASE_MIGRATOR_URL. */
export const migrateFromEnv = async (service: Service, migrations: Migrations, env: NodeJS.ProcessEnv): Promise<void> => {
  const [settings] = loadConfig(env, migratorEnv);
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
 * which drains in the order of {@link DrainController} and exits 0, also while it still waits for migrations or for the log. `commands`
 * are what else this service does by argument: each gives its exit status.
 */
export const runService = async <C>(
  options: ServiceOptions<C>,
  commands: Readonly<Record<string, () => Promise<number>>> = {},
): Promise<void> => {
  try {
    const [command] = process.argv.slice(2);
    if (command === 'migrate') return await migrateFromEnv(options.service, options.migrations ?? [], process.env);
    const other = command === undefined ? undefined : commands[command];
    if (command !== undefined && other === undefined)
      throw new PlatformError(
        'CONFIGURATION_INVALID',
        `unknown argument ${command}: it is ${['migrate', ...Object.keys(commands)].join(', ')} or nothing`,
      );
    if (other) process.exitCode = await other();
    else await startService(options, process.env, { supervise: drainOnSignals });
  } catch (error) {
    exitWith(error, options.service);
  }
};
