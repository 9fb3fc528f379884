import { PlatformError } from '@centralita/contracts';
import { z } from 'zod';
import { envBase64, envInteger, envPort, envUrl } from './environment.js';
import { kafkaEnv } from './kafka.js';

/** Exit status for a wrong configuration (EX_CONFIG of sysexits.h): restarting will not help. */
export const EXIT_CONFIGURATION = 78;

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
  SERVICE_INSTANCE: z.string().max(80).optional().describe('name of this instance in logs'),
});
export type PlatformEnv = z.infer<typeof platformEnv>;

/** What a process takes that has a database, the log and an API behind the gateway. */
export const serviceEnv = platformEnv.extend({
  ...kafkaEnv.shape,
  DATABASE_URL: envUrl('postgres', 'postgresql').describe(
    'application role: no owner, no bypass of row-level security; through a transaction pooler only if that knows prepared ' +
      'statements (PgBouncer 1.21 with `max_prepared_statements`). With `?sslmode=verify-full&sslrootcert=FILE` the connection is encrypted ' +
      'and the server proves who it is (`sslcert` and `sslkey` for mTLS); so for every database of this page',
  ),
  DATABASE_POOL_SIZE: envInteger(1, 200).default(10).describe('connections of the pool'),
  RELAY_DATABASE_URL: envUrl('postgres', 'postgresql')
    .optional()
    .describe('relay role: publishes what is committed; to the server itself, not through a transaction pooler'),
  KEYRING_DATABASE_URL: envUrl('postgres', 'postgresql')
    .describe('application role of the database with the wrapped keys')
    .optional(),
  KEYRING_MASTER_KEY: envBase64(32).describe('wraps the tenants’ keys; 32 bytes in base64').optional(),
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

const issuesOf = (error: z.ZodError, given: Readonly<Record<string, string>>): ConfigurationIssue[] =>
  error.issues.map((issue) => {
    const name = issue.path.map(String).join('.') || '(environment)';
    const missing = issue.code !== 'custom' && issue.path.length === 1 && !(String(issue.path[0]) in given);
    // zod's own texts for wrong values may quote them; ours do not, and a refinement's message is ours.
    const message = missing
      ? 'is required'
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

/** Reads several schemas from one environment. Throws CONFIGURATION_INVALID with the issues of all of them together. */
export const loadConfig = <const Schemas extends readonly z.ZodType[]>(
  env: NodeJS.ProcessEnv,
  ...schemas: Schemas
): { [Index in keyof Schemas]: z.output<Schemas[Index]> } => {
  const given = withoutEmpty(env);
  const results = schemas.map((schema) => schema.safeParse(given));
  const issues = results.flatMap((result) => (result.success ? [] : issuesOf(result.error, given)));
  if (issues.length > 0) throw configurationError(issues);
  return results.map((result) => result.data) as { [Index in keyof Schemas]: z.output<Schemas[Index]> };
};
