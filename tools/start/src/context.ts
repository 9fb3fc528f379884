import type { DayContext, Login, TenantContext } from './day/context.js';
import type { DayResult } from './day/play.js';
import type { Databases } from './databases.js';
import type { Folders } from './folders.js';
import type { SecretFiles } from './secrets.js';
import { seedPassword } from './seed/tenants.js';
import type { SeedTenant, SeedUser } from './seed/tenants.js';

/** All that the played day, the checks and the seeding may use of a running Centralita. */
export type StartContext = DayContext & {
  readonly seeds: readonly SeedTenant[];
  readonly identityUrl: string;
  /** Without the app's name. */
  readonly webhookUrl: string;
  /** `/metrics` of every service, by process name. */
  readonly metricsUrls: Readonly<Record<string, string>>;
  readonly brokers: readonly string[];
  readonly databases: Databases;
  /** Superuser on the server, for databases of the checks' own. */
  readonly adminDatabaseUrl: string;
  readonly keyring: { readonly databaseUrl: string; readonly masterKey: Buffer };
  readonly files: SecretFiles;
  readonly folders: Folders;
  /** Script and environment of a service's process, for a check that starts it again elsewhere. */
  service(name: string): { readonly script: string; readonly env: Readonly<Record<string, string>> };
  /** Aborted at Ctrl-C. */
  readonly signal: AbortSignal;
};

export type CheckResult = {
  readonly id: number;
  readonly name: string;
  readonly status: 'PASS' | 'FAIL';
  readonly figures: Readonly<Record<string, unknown>>;
};
export type RunChecks = (context: StartContext, day: DayResult) => Promise<readonly CheckResult[]>;

export const loginOf = (user: SeedUser): Login => ({
  username: user.username,
  password: seedPassword,
  actorId: user.id,
  label: user.label,
});

/** The seed of a tenant as the player of the day wants it. */
export const tenantContext = (tenant: SeedTenant): TenantContext => {
  const withRole = (role: SeedUser['roles'][number]): Login => {
    const user = tenant.users.find((one) => one.roles.includes(role));
    if (user === undefined) throw new RangeError(`the seed of ${tenant.slug} has nobody with the role ${role}`);
    return loginOf(user);
  };
  return {
    tenantId: tenant.tenantId,
    name: tenant.name,
    app: tenant.app,
    agents: tenant.users.filter((user) => user.agent !== null).map(loginOf),
    supervisor: withRole('supervisor'),
    compliance: withRole('compliance'),
    billing: withRole('billing'),
    platform: withRole('platform'),
    queues: tenant.queues.map(({ queueId, name }) => ({ queueId, name })),
  };
};

/** What the day and the checks are told of the seeded tenants. */
export const tenantsOf = (seeds: readonly SeedTenant[]): Pick<StartContext, 'numbers' | 'tenants' | 'seeds'> => ({
  numbers: seeds.flatMap(({ account, app, tenantId }) =>
    account.numbers.map(({ phoneNumberId, displayPhoneNumber }) => ({
      phoneNumberId,
      displayPhoneNumber,
      wabaId: account.wabaId,
      app,
      tenantId,
    })),
  ),
  tenants: seeds.map(tenantContext),
  seeds,
});
