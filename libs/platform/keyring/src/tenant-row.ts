import { randomBytes } from 'node:crypto';
import type { KeyProvider, Placed, Wrapped } from './provider/provider.js';
import type { TenantRow } from './store.js';

const names = ['reference', 'wrapping', 'commitment'] as const;

const tenantPlace = (tenantId: string, name: string): string => `tenant|${tenantId}|${name}`;

/** The three keys of a tenant, each with its place, as a provider takes them. */
export const placedKeys = (tenantId: string, row: TenantRow): Placed<Wrapped>[] =>
  names.map((name) => ({
    place: tenantPlace(tenantId, name),
    value: { provider: row.provider, version: row.key_version, bytes: row[name] },
  }));

/** A row of what a provider has wrapped, in the order of {@link placedKeys}. */
export const rowOf = (wrapped: readonly Wrapped[]): TenantRow => {
  const [reference, wrapping, commitment] = wrapped as readonly [Wrapped, Wrapped, Wrapped];
  return {
    reference: reference.bytes,
    wrapping: wrapping.bytes,
    commitment: commitment.bytes,
    provider: reference.provider,
    key_version: reference.version,
  };
};

/** New keys for a tenant that has none. */
export const freshTenant = async (tenantId: string, provider: KeyProvider): Promise<TenantRow> =>
  rowOf(await provider.wrap(names.map((name) => ({ place: tenantPlace(tenantId, name), value: randomBytes(32) }))));
