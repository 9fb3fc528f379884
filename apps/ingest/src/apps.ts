import { createSecretKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { PlatformError, Uuid } from '@centralita/contracts';
import type { AppSecrets } from '@centralita/whatsapp';
import { z } from 'zod';

const AppsFile = z.object({
  apps: z
    .array(
      z.object({
        app: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
        tenantId: Uuid,
        verifyToken: z.string().min(1),
        // A rotation is over at `previousUntil`; without it the previous secret holds until it is taken out of the file.
        secrets: z.object({
          current: z.string().min(1),
          previous: z.string().min(1).optional(),
          previousUntil: z.iso.datetime({ offset: true }).optional(),
        }),
        accessToken: z.string().min(1),
        numbers: z.array(z.object({ phoneNumberId: z.string().min(1).max(64), wabaId: z.string().min(1).max(64) })).min(1),
      }),
    )
    .min(1),
});

/** One Meta app: its secrets, its owner, the numbers that it has registered. */
export type MetaApp = {
  readonly app: string;
  readonly tenantId: string;
  readonly verifyToken: string;
  readonly secrets: AppSecrets & { readonly previousUntil?: Date | undefined };
  readonly accessToken: string;
  readonly phoneNumberIds: ReadonlySet<string>;
  readonly wabaIds: ReadonlySet<string>;
};

/** The secrets that sign at this moment. */
export const secretsAt = ({ secrets }: MetaApp, now: Date): AppSecrets =>
  secrets.previousUntil !== undefined && now >= secrets.previousUntil ? { current: secrets.current } : secrets;

/** The apps of this installation. A delivery is judged by the app that its URL names and by no other. */
export class MetaApps {
  readonly #byName: ReadonlyMap<string, MetaApp>;
  readonly #byNumber: ReadonlyMap<string, MetaApp>;

  constructor(apps: readonly MetaApp[]) {
    this.#byName = new Map(apps.map((app) => [app.app, app]));
    this.#byNumber = new Map(apps.flatMap((app) => [...app.phoneNumberIds].map((id) => [id, app] as const)));
    const numbers = apps.reduce((sum, app) => sum + app.phoneNumberIds.size, 0);
    if (this.#byName.size !== apps.length || this.#byNumber.size !== numbers)
      throw new PlatformError('CONFIGURATION_INVALID', 'APPS_FILE names an app or a number twice');
    const owners = new Map<string, string>();
    for (const { tenantId, wabaIds } of apps)
      for (const wabaId of wabaIds)
        if ((owners.get(wabaId) ?? tenantId) === tenantId) owners.set(wabaId, tenantId);
        else throw new PlatformError('CONFIGURATION_INVALID', 'APPS_FILE gives an account to two tenants', { wabaId });
  }

  byName(name: string): MetaApp | undefined {
    return this.#byName.get(name);
  }

  /** The app of a number, if it belongs to this tenant. */
  ofNumber(tenantId: string, phoneNumberId: string): MetaApp | undefined {
    const app = this.#byNumber.get(phoneNumberId);
    return app?.tenantId === tenantId ? app : undefined;
  }

  /** All tenants, each turn beginning with another one: whoever has a backlog must not starve those behind. */
  tenants(turn = 0): string[] {
    const tenants = [...new Set([...this.#byName.values()].map((app) => app.tenantId))].sort();
    return tenants.map((_, at) => tenants[(at + turn) % tenants.length] as string);
  }
}

/** Reads the mounted file. Throws CONFIGURATION_INVALID with every wrong path; values are secrets and never quoted. */
export const loadApps = async (path: string): Promise<MetaApps> => {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (cause) {
    throw new PlatformError('CONFIGURATION_INVALID', 'APPS_FILE cannot be read as JSON', {}, { cause });
  }
  const parsed = AppsFile.safeParse(json);
  if (!parsed.success) {
    const paths = parsed.error.issues.map((issue) => issue.path.join('.'));
    throw new PlatformError('CONFIGURATION_INVALID', `APPS_FILE is wrong at: ${paths.join(', ')}`, { paths });
  }
  return new MetaApps(
    parsed.data.apps.map(({ app, tenantId, verifyToken, secrets, accessToken, numbers }) => ({
      app,
      tenantId,
      verifyToken,
      accessToken,
      secrets: {
        current: createSecretKey(secrets.current, 'utf8'),
        previous: secrets.previous === undefined ? undefined : createSecretKey(secrets.previous, 'utf8'),
        previousUntil: secrets.previousUntil === undefined ? undefined : new Date(secrets.previousUntil),
      },
      phoneNumberIds: new Set(numbers.map((number) => number.phoneNumberId)),
      wabaIds: new Set(numbers.map((number) => number.wabaId)),
    })),
  );
};
