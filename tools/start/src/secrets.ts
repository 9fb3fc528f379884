import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { IdentityUser } from '@centralita/tool-identity';
import { seedPassword, tenants } from './seed/tenants.js';
import type { SeedTenant } from './seed/tenants.js';

type AppSecrets = { verifyToken: string; secret: string; previousSecret: string; accessToken: string };

/** Made at the first start and kept: without the master key everything sealed so far would be unreadable. */
export type Secrets = {
  /** Names this installation to the engines that hold its data. */
  installation: string;
  keyringMasterKey: string;
  databasePassword: string;
  sessionSecret: string;
  oidcClientSecret: string;
  ledgerKey: string;
  tokenKey: string;
  apps: Record<string, AppSecrets>;
};

/** Files that processes read, each mode 0600. */
export type SecretFiles = { apps: string; accounts: string; users: string; tenants: string; ledgerKey: string; tokenKey: string };

const key = (): string => randomBytes(32).toString('base64');
const hex = (): string => randomBytes(16).toString('hex');
const ed25519 = (): string => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

const fresh = (): Secrets => ({
  installation: hex(),
  keyringMasterKey: key(),
  databasePassword: randomBytes(18).toString('base64url'),
  sessionSecret: key(),
  oidcClientSecret: hex(),
  ledgerKey: ed25519(),
  tokenKey: ed25519(),
  apps: Object.fromEntries(
    tenants.map((tenant) => [
      tenant.app,
      { verifyToken: hex(), secret: hex(), previousSecret: hex(), accessToken: `SIM${hex()}` },
    ]),
  ),
});

const writeSecret = async (file: string, content: string): Promise<void> => {
  await writeFile(file, content, { mode: 0o600 });
  // The mode of writeFile counts for new files only.
  await chmod(file, 0o600);
};

const appOf = (tenant: SeedTenant, secrets: AppSecrets): Record<string, unknown> => ({
  app: tenant.app,
  tenantId: tenant.tenantId,
  verifyToken: secrets.verifyToken,
  secrets: { current: secrets.secret, previous: secrets.previousSecret },
  accessToken: secrets.accessToken,
  numbers: tenant.account.numbers.map((number) => ({
    ...number,
    wabaId: tenant.account.wabaId,
    timeZone: tenant.account.timeZone,
    currency: tenant.account.currency,
  })),
});

/** The people of the seed, as the development identity provider takes them. */
export const seedUsers: readonly IdentityUser[] = tenants.flatMap((tenant) =>
  tenant.users.map((user) => ({
    sub: user.id,
    username: user.username,
    password: seedPassword,
    label: user.label,
    tenant: tenant.tenantId,
    tenantLabel: tenant.name,
    roles: [...user.roles],
  })),
);

/** Reads the secrets of an earlier start or makes new ones, and writes the files that the processes are given. */
export const prepareSecrets = async (folder: string): Promise<{ secrets: Secrets; files: SecretFiles }> => {
  const own = join(folder, 'secrets.json');
  // Those of an older version lack what has been added since.
  const secrets: Secrets = { ...fresh(), ...(existsSync(own) ? (JSON.parse(await readFile(own, 'utf8')) as Secrets) : {}) };
  await writeSecret(own, JSON.stringify(secrets, null, 2));
  const files: SecretFiles = {
    apps: join(folder, 'apps.json'),
    accounts: join(folder, 'accounts.json'),
    users: join(folder, 'users.json'),
    tenants: join(folder, 'tenants.json'),
    ledgerKey: join(folder, 'ledger.pem'),
    tokenKey: join(folder, 'token.pem'),
  };
  const contents: Record<keyof SecretFiles, string> = {
    apps: JSON.stringify({ apps: tenants.map((tenant) => appOf(tenant, secrets.apps[tenant.app] as AppSecrets)) }, null, 2),
    accounts: JSON.stringify({ accounts: tenants.map((tenant) => ({ tenantId: tenant.tenantId, ...tenant.account })) }, null, 2),
    users: JSON.stringify(seedUsers, null, 2),
    tenants: JSON.stringify(
      tenants.map(({ tenantId, name }) => ({ tenantId, name })),
      null,
      2,
    ),
    ledgerKey: secrets.ledgerKey,
    tokenKey: secrets.tokenKey,
  };
  for (const [name, file] of Object.entries(files)) await writeSecret(file, contents[name as keyof SecretFiles]);
  return { secrets, files };
};
