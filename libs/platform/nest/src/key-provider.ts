import { readFileSync } from 'node:fs';
import { KeyProviderNames, localProvider, tokenFrom, vaultProvider, withFormer, type KeyProvider } from '@centralita/keyring';
import { z } from 'zod';
import { envBase64, envInteger, envSecret, envUrl } from './environment.js';

const masterKey = envSecret(envBase64(32));

/** Who wraps the keys of tenants. The settings of one provider may stay while an installation moves to the other. */
export const keyProviderEnv = z.object({
  KEYRING_PROVIDER: z
    .enum(KeyProviderNames)
    .default('local')
    .describe('who wraps the tenants’ keys: local (the master key below) or vault (HashiCorp Vault or OpenBao, engine transit)'),
  KEYRING_MASTER_KEY: masterKey
    .describe(
      'wraps the tenants’ keys with the provider local; 32 bytes in base64. Beside vault it opens what it has wrapped before',
    )
    .optional(),
  KEYRING_PREVIOUS_MASTER_KEY: masterKey
    .describe('the master key of before, while tenants’ keys are wrapped anew under the new one')
    .optional(),
  KEYRING_VAULT_ADDR: envUrl('http', 'https').describe('address of Vault, without `/v1`').optional(),
  KEYRING_VAULT_MOUNT: z.string().min(1).default('transit').describe('where the engine transit is mounted'),
  KEYRING_VAULT_KEY: z
    .string()
    .regex(/^[\w-]+$/, 'must be a name of letters, digits, - and _')
    .describe('name of the key there, of a type that encrypts')
    .optional(),
  KEYRING_VAULT_TOKEN_FILE: z
    .string()
    .min(1)
    .describe('file with the token, which an agent renews; read again at each request')
    .optional(),
  KEYRING_VAULT_CA_FILE: z
    .string()
    .min(1)
    .describe('PEM file with the authorities that sign Vault’s certificate; without it those that Node knows')
    .optional(),
  KEYRING_VAULT_NAMESPACE: z.string().min(1).describe('namespace of the engine, where there are some').optional(),
  KEYRING_VAULT_TIMEOUT_MS: envInteger(50, 30_000).default(2_000).describe('longest wait for one answer of Vault'),
});
type KeyProviderEnv = z.infer<typeof keyProviderEnv>;

/** Opens nothing yet: whoever asks it first connects. */
export type KeyProviderConnection = { readonly open: () => KeyProvider } | { readonly missing: string };

type Refuse = (name: keyof KeyProviderEnv, message: string) => void;

const caOf = (path: string | undefined, refuse: Refuse): string | undefined => {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch {
    refuse('KEYRING_VAULT_CA_FILE', 'cannot be read');
    return undefined;
  }
};

/** Null where it is not set up. */
const vaultOf = (env: KeyProviderEnv, refuse: Refuse): (() => KeyProvider) | null => {
  const { KEYRING_VAULT_ADDR: address, KEYRING_VAULT_KEY: key, KEYRING_VAULT_TOKEN_FILE: tokenFile } = env;
  const { KEYRING_VAULT_NAMESPACE: namespace } = env;
  if (!address || !key || !tokenFile) return null;
  const ca = caOf(env.KEYRING_VAULT_CA_FILE, refuse);
  return () =>
    vaultProvider({
      address,
      mount: env.KEYRING_VAULT_MOUNT,
      key,
      token: tokenFrom(tokenFile),
      timeoutMs: env.KEYRING_VAULT_TIMEOUT_MS,
      ...(ca === undefined ? {} : { ca }),
      ...(namespace === undefined ? {} : { namespace }),
    });
};

const localOf = (env: KeyProviderEnv, refuse: Refuse): (() => KeyProvider) | null => {
  const { KEYRING_MASTER_KEY: master, KEYRING_PREVIOUS_MASTER_KEY: previous } = env;
  if (previous && !master) refuse('KEYRING_PREVIOUS_MASTER_KEY', 'is of no use without KEYRING_MASTER_KEY');
  return master ? () => localProvider(master, previous ? [previous] : []) : null;
};

const connectionOf = (env: KeyProviderEnv, refuse: Refuse): KeyProviderConnection => {
  const [local, vault] = [localOf(env, refuse), vaultOf(env, refuse)];
  const [current, former] = env.KEYRING_PROVIDER === 'local' ? [local, vault] : [vault, local];
  if (current) return { open: () => withFormer(current(), former ? [former()] : []) };
  if (env.KEYRING_PROVIDER === 'local')
    return { missing: 'there is no key provider: give KEYRING_MASTER_KEY_FILE, or KEYRING_PROVIDER=vault with its settings' };
  const lacking = (['KEYRING_VAULT_ADDR', 'KEYRING_VAULT_KEY', 'KEYRING_VAULT_TOKEN_FILE'] as const).filter((name) => !env[name]);
  return { missing: `the key provider vault is not set up: ${lacking.join(', ')} ${lacking.length > 1 ? 'are' : 'is'} missing` };
};

/**
 * Give it to `loadConfig` beside the service's own schema. A provider that is not set up is no wrong configuration: the process starts,
 * says so and is not ready, as when its provider does not answer.
 */
export const keyProviderConnection: z.ZodType<KeyProviderConnection> = keyProviderEnv.transform((env, context) =>
  connectionOf(env, (name, message) => {
    context.addIssue({ code: 'custom', path: [name], message });
  }),
);
