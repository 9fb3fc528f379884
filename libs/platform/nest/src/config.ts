import { PlatformError } from '@centralita/contracts';
import { z } from 'zod';

/** Exit status for a wrong configuration (EX_CONFIG of sysexits.h): restarting will not help. */
export const EXIT_CONFIGURATION = 78;

/** A whole number of the environment. */
export const envInteger = (minimum: number, maximum: number): z.ZodType<number> =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, { message: `must be ${minimum} to ${maximum}` });
/** A TCP port; 0 takes a free one. */
export const envPort: z.ZodType<number> = envInteger(0, 65535);
/** An address such as `postgres://…` or `https://…`. */
export const envUrl = (...protocols: string[]): z.ZodType<string> =>
  z
    .string()
    .refine(
      (value) => URL.canParse(value) && (protocols.length === 0 || protocols.includes(new URL(value).protocol.slice(0, -1))),
      {
        message:
          protocols.length === 0
            ? 'must be a URL'
            : `must be a URL that starts with ${protocols.map((protocol) => `${protocol}://`).join(' or ')}`,
      },
    );
/** Words between commas, at least one. */
export const envList: z.ZodType<string[]> = z
  .string()
  .transform((value) =>
    value
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== ''),
  )
  .refine((words) => words.length > 0, { message: 'must name at least one' });
/** Exactly `bytes` bytes in base64. */
export const envBase64 = (bytes: number): z.ZodType<Buffer> =>
  z
    .string()
    .refine((value) => Buffer.from(value, 'base64').length === bytes && /^[A-Za-z0-9+/_=-]+$/.test(value), {
      message: `must be ${bytes} bytes in base64`,
    })
    .transform((value) => Buffer.from(value, 'base64'));

/** What every process takes from its environment. Its own settings come on top, by the schema that it gives to `runService`. */
export const platformEnv = z.object({
  HTTP_PORT: envPort.default(0).describe('port of the API; 0 takes a free one, printed in the log line `listening`'),
  HTTP_HOST: z.string().default('127.0.0.1').describe('address to listen on; 0.0.0.0 in a container'),
  METRICS_PORT: envPort.default(0).describe('port of /metrics and /health'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  OTEL_EXPORTER_OTLP_ENDPOINT: envUrl('http', 'https').optional().describe('where traces go; none are recorded without it'),
  SERVICE_INSTANCE: z.string().max(80).optional().describe('name of this instance in logs'),
});
export type PlatformEnv = z.infer<typeof platformEnv>;

/** What a process takes that has a database, the log and an API behind the gateway. */
export const serviceEnv = platformEnv.extend({
  KAFKA_BROKERS: envList.describe('addresses of the brokers, with commas'),
  DATABASE_URL: envUrl('postgres', 'postgresql').describe('application role: no owner, no bypass of row-level security'),
  DATABASE_POOL_SIZE: envInteger(1, 200).default(10),
  RELAY_DATABASE_URL: envUrl('postgres', 'postgresql').optional().describe('relay role; without it DATABASE_URL is used'),
  KEYRING_DATABASE_URL: envUrl('postgres', 'postgresql').optional(),
  KEYRING_MASTER_KEY: envBase64(32).optional().describe('wraps the tenants’ keys; 32 bytes in base64'),
  GATEWAY_JWKS_URL: envUrl('http', 'https').describe('public keys of the gateway; its tokens are the only way in'),
  AUDIT_MAX_OUTBOX_AGE_SECONDS: envInteger(1, 86_400)
    .default(60)
    .describe('when the oldest unpublished event is older, customer data is refused: an unpublished record proves nothing'),
  HTTP_BODY_LIMIT: envInteger(1024, 64 * 1024 * 1024)
    .default(1024 * 1024)
    .describe('bytes'),
});
export type ServiceEnv = z.infer<typeof serviceEnv>;

export type ConfigurationIssue = { readonly name: string; readonly message: string };

/** Unset and empty mean the same: a chart renders an optional value as an empty string. */
const withoutEmpty = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''));

const issuesOf = (error: z.ZodError, given: Readonly<Record<string, string>>): ConfigurationIssue[] =>
  error.issues.map((issue) => {
    const name = issue.path.map(String).join('.') || '(environment)';
    const missing = issue.path.length === 1 && !(String(issue.path[0]) in given);
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
