export { canonicalBytes, canonicalText } from './crypto.js';
export { Keyring, MAX_LEASE_SECONDS, type KeyringMetrics, type KeyringOperation, type KeyringOptions } from './keyring.js';
export { keyringMigrations } from './migration.js';
export { localProvider } from './provider/local.js';
export {
  KeyProviderNames,
  withFormer,
  type KeyProvider,
  type KeyProviderName,
  type Placed,
  type Wrapped,
} from './provider/provider.js';
export { tokenFrom, vaultProvider } from './provider/vault.js';
export type { VaultOptions } from './provider/vault-connection.js';
export { rewrapTenantKeys, type RewrapOptions, type Rewrapped } from './rewrap.js';
export { IdentityKinds, referencesOf, type IdentityKind, type References } from './references.js';
export { SubjectKeys, type KeyState, type Opened, type OpenedBytes, type Plain, type SubjectKey } from './subject-keys.js';
