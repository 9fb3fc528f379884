import { PlatformError } from '@centralita/contracts';
import { z } from 'zod';
import { envDatabase, envInteger, envPairs, envPort, envSecret, envUrl } from './environment.js';
import { kafkaEnv } from './kafka.js';
import { keyProviderEnv } from './key-provider.js';
import { companionsOf, settingsOf, withFiles } from './settings.js';

/** Exit status for a wrong configuration (EX_CONFIG of sysexits.h): restarting will not help. */
export const EXIT_CONFIGURATION = 78;

const samplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

/** What every process takes from its environment. Its own settings come on top, by the schema that it gives to `runService`. */
export const platformEnv = z.object({
  HTTP_PORT: envPort.default(0).describe('port of the API; 0 takes a free one, printed in the log line `listening`'),
  HTTP_HOST: z.string().default('127.0.0.1').describe('address to listen on; 0.0.0.0 in a container'),
  METRICS_PORT: envPort.default(0).describe('port of /metrics and /health'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('least important level that is written: trace, debug, info, warn, error, fatal or silent'),
  OTEL_EXPORTER_OTLP_ENDPOINT: envUrl('http', 'https').optional().describe('where traces go; none are recorded without it'),
  OTEL_EXPORTER_OTLP_HEADERS: envSecret(envPairs)
    .describe('headers of what is sent there, for example a token: `name=value`, with commas between')
    .optional(),
  OTEL_SERVICE_NAME: z
    .string()
    .min(1)
    .max(80)
    .optional()
    .describe('name of this process in traces; without it `centralita-` and its own'),
  OTEL_RESOURCE_ATTRIBUTES: envPairs
    .optional()
    .describe('what traces say of this process, for example pod, node and version: `name=value`, with commas between'),
  OTEL_TRACES_SAMPLER: z
    .enum(samplers)
    .default('parentbased_always_on')
    .describe(`which traces are recorded: ${samplers.join(', ')}`),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(0(\.\d+)?|1(\.0+)?)$/, 'must be 0 to 1')
    .transform(Number)
    .optional()
    .describe('share of the traces that samplers with a ratio record, 0 to 1; all without it'),
  DRAIN_SECONDS: envInteger(1, 3600)
    .default(25)
    .describe(
      'longest time from SIGTERM to the end; what hangs is left behind then. Whoever kills the process should wait five seconds longer',
    ),
  SERVICE_INSTANCE: z.string().max(80).optional().describe('name of this instance in logs'),
});
export type PlatformEnv = z.infer<typeof platformEnv>;

/** What a process takes that has a database, the log and an API behind the gateway. */
export const serviceEnv = platformEnv.extend({
  ...kafkaEnv.shape,
  DATABASE_URL: envDatabase.describe(
    'application role: no owner, no bypass of row-level security; through a transaction pooler only if that knows prepared ' +
      'statements (PgBouncer 1.21 with `max_prepared_statements`). With `?sslmode=verify-full&sslrootcert=FILE` the connection is encrypted ' +
      'and the server proves who it is (`sslcert` and `sslkey` for mTLS); so for every database of this page',
  ),
  DATABASE_POOL_SIZE: envInteger(1, 200).default(10).describe('connections of the pool'),
  RELAY_DATABASE_URL: envDatabase
    .describe('relay role: publishes what is committed; to the server itself, not through a transaction pooler')
    .optional(),
  KEYRING_DATABASE_URL: envDatabase.describe('application role of the database with the wrapped keys').optional(),
  ...keyProviderEnv.shape,
  GATEWAY_JWKS_URL: envUrl('http', 'https').describe('public keys of the gateway; its tokens are the only way in'),
  AUDIT_MAX_OUTBOX_AGE_SECONDS: envInteger(1, 86_400)
    .default(60)
    .describe('when the oldest unpublished event is older, customer data is refused: an unpublished record proves nothing'),
  HTTP_BODY_LIMIT: envInteger(1024, 64 * 1024 * 1024)
    .default(1024 * 1024)
    .describe('longest body of a request, in bytes'),
});
export type ServiceEnv = z.infer<typeof serviceEnv>;

export type ConfigurationIssue = { readonly name: string; readonly message: string };

/** Unset and empty mean the same: a chart renders an optional value as an empty string. */
const withoutEmpty = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''));

const issuesOf = (
  error: z.ZodError,
  given: Readonly<Record<string, string>>,
  fields: Readonly<Record<string, z.ZodType>>,
): ConfigurationIssue[] =>
  error.issues.map((issue) => {
    const name = issue.path.map(String).join('.') || '(environment)';
    const missing = issue.code !== 'custom' && issue.path.length === 1 && !(String(issue.path[0]) in given);
    const schema = fields[name];
    const { file, credentials } = schema ? companionsOf(name, schema) : { file: null, credentials: null };
    // zod's own texts for wrong values may quote them; ours do not, and a refinement's message is ours.
    const message = missing
      ? file !== null && credentials === null
        ? `is required, or ${file}`
        : 'is required'
      : issue.code === 'invalid_value'
        ? `must be one of ${issue.values.map(String).join(', ')}`
        : issue.code === 'unrecognized_keys'
          ? 'is not known'
          : issue.message;
    return { name, message };
  });

/** One message that lists everything wrong, by name. Values are never quoted: some are secrets. */
export const configurationError = (issues: readonly ConfigurationIssue[]): PlatformError => {
  const lines = [...new Set(issues.map((issue) => `  ${issue.name} ${issue.message}`))].sort();
  return new PlatformError('CONFIGURATION_INVALID', `configuration is not valid:\n${lines.join('\n')}`, {
    names: [...new Set(issues.map((issue) => issue.name))].sort(),
  });
};

/**
 * Reads several schemas from one environment, and secrets from the files that it names: see {@link withFiles}. Throws
 * CONFIGURATION_INVALID with the issues of all of them together.
 */
export const loadConfig = <const Schemas extends readonly z.ZodType[]>(
  env: NodeJS.ProcessEnv,
  ...schemas: Schemas
): { [Index in keyof Schemas]: z.output<Schemas[Index]> } => {
  const wrong: ConfigurationIssue[] = [];
  const unread = new Set<string>();
  const given = withFiles(withoutEmpty(env), schemas, (name, message, about) => {
    wrong.push({ name, message });
    unread.add(about);
  });
  const results = schemas.map((schema) => schema.safeParse(given));
  const issues = results.flatMap((result, index) =>
    result.success ? [] : issuesOf(result.error, given, settingsOf(schemas[index] as z.ZodType)),
  );
  wrong.push(...issues.filter(({ name }) => !unread.has(name)));
  if (wrong.length > 0) throw configurationError(wrong);
  return results.map((result) => result.data) as { [Index in keyof Schemas]: z.output<Schemas[Index]> };
};
