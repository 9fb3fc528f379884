import { PlatformError } from '@centralita/contracts';
import { Client } from '@centralita/event-store/connection';
import type { KeyProvider } from './provider/provider.js';
import type { TenantRow } from './store.js';
import { placedKeys, rowOf } from './tenant-row.js';

const AT_ONCE = 100;

export type RewrapOptions = {
  /** Of the role that owns the keyring database: no other one sees all tenants. */
  readonly databaseUrl: string;
  /** Wraps under its current version; must still open what is there. */
  readonly provider: KeyProvider;
  readonly onProgress?: (rewrapped: number) => void;
};
/** `current` were wrapped by this version before. */
export type Rewrapped = {
  readonly provider: string;
  readonly version: string;
  readonly rewrapped: number;
  readonly current: number;
};

type Row = TenantRow & { readonly tenant_id: string };

/**
 * Wraps the keys of all tenants under the current version of the key provider: after the provider's key was rotated, or when an
 * installation moves to another provider. The keys themselves stay, so nothing that was sealed changes and nobody notices. Each tenant is a
 * transaction of its own; after an interruption, running it again goes on with those that are left. Throws KEY_UNAVAILABLE,
 * DECRYPTION_FAILED, or what the database says.
 */
export const rewrapTenantKeys = async ({ databaseUrl, provider, onProgress }: RewrapOptions): Promise<Rewrapped> => {
  const version = await provider.version();
  const client = new Client({
    connectionString: databaseUrl,
    application_name: 'centralita-rewrap',
    connectionTimeoutMillis: 5000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ current: string }>(
      'select count(*) as current from tenant_key where provider = $1 and key_version = $2',
      [provider.name, version],
    );
    let rewrapped = 0;
    for (;;) {
      const { rows: left } = await client.query<Row>(
        `select tenant_id, reference, wrapping, commitment, provider, key_version from tenant_key
         where (provider, key_version) <> ($1, $2) order by tenant_id limit ${AT_ONCE}`,
        [provider.name, version],
      );
      for (const row of left) {
        await rewrapOne(client, provider, version, row);
        rewrapped += 1;
        onProgress?.(rewrapped);
      }
      if (left.length < AT_ONCE) return { provider: provider.name, version, rewrapped, current: Number(rows[0]?.current ?? 0) };
    }
  } finally {
    await client.end().catch(() => undefined);
  }
};

const rewrapOne = async (client: Client, provider: KeyProvider, version: string, row: Row): Promise<void> => {
  const next = rowOf(await provider.rewrap(placedKeys(row.tenant_id, row)));
  // Rotated once more while this runs: with the newest version the loop would find this row again and again.
  if (next.key_version !== version)
    throw new PlatformError('KEY_UNAVAILABLE', 'the key was rotated again meanwhile; run it once more', { version });
  // Only over what was read: of two that run at once, one finds that the other was there.
  await client.query(
    `update tenant_key set reference = $2, wrapping = $3, commitment = $4, provider = $5, key_version = $6, wrapped_at = now()
     where tenant_id = $1 and provider = $7 and key_version = $8`,
    [
      row.tenant_id,
      next.reference,
      next.wrapping,
      next.commitment,
      next.provider,
      next.key_version,
      row.provider,
      row.key_version,
    ],
  );
};
