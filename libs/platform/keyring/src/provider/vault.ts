import { hash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { PlatformError } from '@centralita/contracts';
import { z } from 'zod';
import type { KeyProvider, Placed, Wrapped } from './provider.js';
import { VaultConnection, VaultRefusal, type VaultOptions } from './vault-connection.js';

const PLACE_BYTES = 32;

/** A version as it stands in front of a ciphertext: `vault:v3:…`. */
const versionIn = (ciphertext: string): string => {
  const version = /^vault:(v\d+):/.exec(ciphertext)?.[1];
  if (version === undefined) throw new PlatformError('KEY_UNAVAILABLE', 'the key provider vault answered no ciphertext');
  return version;
};

const Encrypted = z.object({
  batch_results: z.array(z.object({ ciphertext: z.string().optional(), error: z.string().optional() })),
});
const Decrypted = z.object({
  batch_results: z.array(z.object({ plaintext: z.string().optional(), error: z.string().optional() })),
});

/**
 * HashiCorp Vault or OpenBao, engine `transit`: the wrapping key never leaves it. Associated data would bind a key to its place, but
 * `rewrap` refuses what was encrypted with it (hashicorp/vault#29532), so a hash of the place is wrapped together with the key.
 */
export const vaultProvider = (options: VaultOptions): KeyProvider => {
  const connection = new VaultConnection(options);
  const { mount, key } = options;

  const call = async <Answer extends { batch_results: readonly { error?: string | undefined }[] }>(
    operation: 'encrypt' | 'decrypt' | 'rewrap',
    batch: readonly object[],
    schema: z.ZodType<Answer>,
  ): Promise<Answer> => {
    try {
      const answer = schema.safeParse(await connection.post(`${mount}/${operation}/${key}`, { batch_input: batch }));
      if (!answer.success || answer.data.batch_results.length !== batch.length)
        throw new PlatformError('KEY_UNAVAILABLE', 'the key provider vault did not answer what was asked', { operation });
      const refused = answer.data.batch_results.find(({ error }) => error !== undefined && error !== '')?.error;
      if (refused !== undefined) throw failed(operation, refused);
      return answer.data;
    } catch (error) {
      if (error instanceof VaultRefusal) throw failed(operation, error.told, error.status);
      throw error;
    }
  };
  /** What is told to people names key and mount; the texts of the provider may repeat what it was given. */
  const failed = (operation: string, told: string, status = 400): PlatformError => {
    if (/authentication failed|invalid ciphertext|unable to decrypt/i.test(told) && operation !== 'encrypt')
      return new PlatformError(
        'DECRYPTION_FAILED',
        'the key provider vault cannot open what is stored: another key has wrapped it',
      );
    const what =
      status === 403
        ? 'refuses the token, or the token may not use this key'
        : status === 503
          ? 'is sealed, or has no leader'
          : status === 429
            ? 'refuses more requests for now'
            : status === 404 || /key not found|no handler for route|not found/i.test(told)
              ? `has no key ${key} in ${mount}`
              : /min(imum)?[_ ](encryption|decryption)[_ ]version|version is (too old|disallowed)/i.test(told)
                ? `does not open this version of the key ${key} any more`
                : 'refuses the request';
    return new PlatformError('KEY_UNAVAILABLE', `the key provider vault at ${connection.host} ${what} (${status})`, {
      operation,
      status,
    });
  };
  const wrappedOf = (answer: z.infer<typeof Encrypted>): Wrapped[] =>
    answer.batch_results.map(({ ciphertext = '' }) => ({
      provider: 'vault',
      version: versionIn(ciphertext),
      bytes: Buffer.from(ciphertext, 'utf8'),
    }));
  const wrap = async (keys: readonly Placed<Buffer>[]): Promise<Wrapped[]> =>
    wrappedOf(
      await call(
        'encrypt',
        keys.map(({ place, value }) => ({ plaintext: Buffer.concat([placeOf(place), value]).toString('base64') })),
        Encrypted,
      ),
    );
  const ciphertexts = (wrapped: readonly Placed<Wrapped>[]) =>
    wrapped.map(({ value }) => ({ ciphertext: value.bytes.toString('utf8') }));

  return {
    name: 'vault',
    // Encrypting needs no other right than wrapping does; reading the key's description would.
    version: async () => {
      const [probe] = await wrap([{ place: 'check', value: Buffer.alloc(1) }]);
      return (probe as Wrapped).version;
    },
    wrap,
    unwrap: async (wrapped) => {
      const { batch_results: results } = await call('decrypt', ciphertexts(wrapped), Decrypted);
      return results.map(({ plaintext = '' }, index) => {
        const bytes = Buffer.from(plaintext, 'base64');
        const place = placeOf((wrapped[index] as Placed<Wrapped>).place);
        if (bytes.length <= PLACE_BYTES || !timingSafeEqual(bytes.subarray(0, PLACE_BYTES), place))
          throw new PlatformError('DECRYPTION_FAILED', 'the wrapped key belongs to another place');
        return bytes.subarray(PLACE_BYTES);
      });
    },
    rewrap: async (wrapped) => wrappedOf(await call('rewrap', ciphertexts(wrapped), Encrypted)),
    close: () => connection.close(),
  };
};

const placeOf = (place: string): Buffer => hash('sha256', place, 'buffer');

/** The token as its file holds it at this moment: whoever renews it (an agent beside the process) writes it there. */
export const tokenFrom = (file: string) => (): string => {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw new PlatformError('KEY_UNAVAILABLE', `${file} cannot be read`, { file });
  }
};
