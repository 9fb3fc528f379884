import { parseKeyPairsIntoRecord } from '@opentelemetry/core';
import { z } from 'zod';

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
/** A setting that nobody may see: it can also be given as a file, by its name and `_FILE`. */
export const envSecret = <Schema extends z.ZodType>(schema: Schema): Schema => schema.meta({ secret: true });
/** Address of a Postgres database. Name and password may stand in it, or as files in the folder that `…_CREDENTIALS_DIR` names. */
export const envDatabase: z.ZodType<string> = envSecret(envUrl('postgres', 'postgresql')).meta({ database: true });
/** `name=value` pairs between commas, percent-encoded, as OpenTelemetry writes headers and attributes. */
export const envPairs: z.ZodType<Record<string, string>> = z
  .string()
  .refine((value) => value.split(',').every((pair) => /^\s*[^=\s]+\s*=/.test(pair)), {
    message: 'must be name=value, with commas between',
  })
  .transform((value) => parseKeyPairsIntoRecord(value));
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
