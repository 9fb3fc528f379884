export { canonicalBytes, canonicalText } from './crypto.js';
export { Keyring, MAX_LEASE_SECONDS, type KeyringMetrics, type KeyringOperation, type KeyringOptions } from './keyring.js';
export { keyringMigration } from './migration.js';
export { IdentityKinds, referencesOf, type IdentityKind, type References } from './references.js';
export { SubjectKeys, type KeyState, type Opened, type OpenedBytes, type Plain, type SubjectKey } from './subject-keys.js';
