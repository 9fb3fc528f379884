import { z } from 'zod';
import type { S3Options } from './s3.js';

export type ObjectStorePrefix = 'MEDIA' | 'ARCHIVE';

/** Where objects are kept. */
export type ObjectStoreOptions = { readonly folder: string } | { readonly s3: S3Options };

const text = z.string().min(1);
const base = {
  DIR: text.describe('folder of the object store; either this or a bucket').optional(),
  S3_BUCKET: text.describe('bucket of the object store').optional(),
  S3_REGION: text.default('us-east-1').describe('region of the bucket'),
  S3_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .describe('address of an S3 that is not Amazon’s')
    .optional(),
  S3_PATH_STYLE: z
    .enum(['true', 'false'])
    .default('false')
    .describe('`true`: the bucket stands in the path and not in the host’s name'),
  S3_ACCESS_KEY_ID_FILE: text
    .describe('file with the access key id; without it the default chain of the SDK, which knows workload identity')
    .optional(),
  S3_SECRET_ACCESS_KEY_FILE: text.describe('file with the secret access key').optional(),
  S3_SSE: z
    .enum(['AES256', 'aws:kms'])
    .describe('encryption by the store: AES256, or aws:kms with the key of the bucket')
    .optional(),
} as const;

const lock = {
  ARCHIVE_OBJECT_LOCK_MODE: z
    .enum(['GOVERNANCE', 'COMPLIANCE'])
    .describe('keeps every object from being changed or deleted; the bucket must have been made with object lock')
    .optional(),
  ARCHIVE_OBJECT_LOCK_DAYS: z
    .string()
    .regex(/^[1-9]\d{0,4}$/, 'must be 1 to 99999')
    .transform(Number)
    .describe('for how many days')
    .optional(),
} as const;

type Base<Prefix extends ObjectStorePrefix> = {
  [Name in keyof typeof base as `${Prefix}_${Name}`]: (typeof base)[Name];
};
type Fields<Prefix extends ObjectStorePrefix> = Base<Prefix> & (Prefix extends 'ARCHIVE' ? typeof lock : unknown);

/** Environment variables of an object store, to be spread into the schema of a process. */
export const objectStoreEnv = <const Prefix extends ObjectStorePrefix>(prefix: Prefix): Fields<Prefix> =>
  // The compiler forgets the names of entries: the type above says what they are made to.
  ({
    ...Object.fromEntries(Object.entries(base).map(([name, schema]) => [`${prefix}_${name}`, schema])),
    ...(prefix === 'ARCHIVE' ? lock : {}),
  }) as unknown as Fields<Prefix>;

type Read = z.infer<z.ZodObject<typeof base>> & Partial<z.infer<z.ZodObject<typeof lock>>>;

/**
 * What the variables say together. `refuse` is told each contradiction by name, and the answer is then null: call it from a refinement,
 * so that it stands in the one message of a wrong configuration, and once more to open the store.
 */
export const objectStoreOptions = (
  prefix: ObjectStorePrefix,
  env: Readonly<Record<string, unknown>>,
  refuse: (name: string, message: string) => void = () => undefined,
): ObjectStoreOptions | null => {
  // As above. What is read was checked by the schemas of `objectStoreEnv`.
  const read = Object.fromEntries(
    [...Object.keys(base).map((name) => [name, `${prefix}_${name}`]), ...Object.keys(lock).map((name) => [name, name])].map(
      ([short = '', name = '']) => [short, env[name]],
    ),
  ) as unknown as Read;
  let sound = true;
  const wrong = (name: string, message: string): void => {
    sound = false;
    refuse(name, message);
  };
  const { DIR, S3_BUCKET, S3_ACCESS_KEY_ID_FILE: keyId, S3_SECRET_ACCESS_KEY_FILE: secret, S3_SSE, S3_ENDPOINT } = read;
  if (DIR === undefined && S3_BUCKET === undefined) wrong(`${prefix}_DIR`, `or ${prefix}_S3_BUCKET is required`);
  if (DIR !== undefined && S3_BUCKET !== undefined) wrong(`${prefix}_DIR`, `is of no use beside ${prefix}_S3_BUCKET`);
  if ((keyId === undefined) !== (secret === undefined))
    wrong(
      `${prefix}_S3_${keyId === undefined ? 'ACCESS_KEY_ID' : 'SECRET_ACCESS_KEY'}_FILE`,
      'is required with the other half of the pair',
    );
  const { ARCHIVE_OBJECT_LOCK_MODE: mode, ARCHIVE_OBJECT_LOCK_DAYS: days } = prefix === 'ARCHIVE' ? read : {};
  if ((mode === undefined) !== (days === undefined))
    wrong(`ARCHIVE_OBJECT_LOCK_${mode === undefined ? 'MODE' : 'DAYS'}`, 'is required with the other half of the pair');
  // A lock that nothing keeps would look like one.
  if (mode !== undefined && S3_BUCKET === undefined)
    wrong('ARCHIVE_OBJECT_LOCK_MODE', 'needs ARCHIVE_S3_BUCKET: a folder has no lock');
  if (!sound) return null;
  if (DIR !== undefined) return { folder: DIR };
  return {
    s3: {
      bucket: S3_BUCKET as string,
      region: read.S3_REGION,
      pathStyle: read.S3_PATH_STYLE === 'true',
      ...(S3_ENDPOINT !== undefined && { endpoint: S3_ENDPOINT }),
      ...(keyId !== undefined && secret !== undefined && { credentialFiles: { accessKeyId: keyId, secretAccessKey: secret } }),
      ...(S3_SSE !== undefined && { encryption: S3_SSE }),
      ...(mode !== undefined && days !== undefined && { lock: { mode, days } }),
    },
  };
};
