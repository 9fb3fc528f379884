import { createSecretKey, randomUUID, type KeyObject } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { isPlatformError, PlatformError, type ErrorCode } from '@centralita/contracts';
import { LRUCache } from 'lru-cache';
import { v5 as uuidV5 } from 'uuid';
import { derive, hmac, newWrappedKey, unwrapKey } from './crypto.js';
import { localProvider } from './provider/local.js';
import type { KeyProvider } from './provider/provider.js';
import { referencesOf, type References } from './references.js';
import { KeyStore, type SubjectRow } from './store.js';
import { freshTenant, placedKeys } from './tenant-row.js';
import { SubjectKeys, type KeyState, type SubjectKey } from './subject-keys.js';

/** Longest time a copy of a key may be used without asking the keyring again; erasure waits longer than this before it destroys. */
export const MAX_LEASE_SECONDS = 60;
const CACHED_SUBJECTS = 50_000;
/** Tenants whose keys this process holds unwrapped; beyond, the one that was used longest ago is asked for again. */
const CACHED_TENANTS = 5_000;

export type KeyringOptions = {
  readonly databaseUrl: string;
  /** 32 bytes; wraps the tenant keys, when no other provider does. */
  readonly masterKey?: Buffer;
  /** Who wraps the tenant keys. @default the local one, with the master key */
  readonly provider?: KeyProvider;
  /** Lease of a cached key, at most 60 (the default). */
  readonly cacheSeconds?: number;
  /** Monotonic milliseconds. Default: `performance.now`. A wall clock that jumps back would stretch a lease. */
  readonly clock?: () => number;
  readonly metrics?: KeyringMetrics;
};

/** Plain callbacks; labels are closed sets of names. */
export type KeyringMetrics = {
  /** A key could not be read, stored or unwrapped, or is not there and nobody has destroyed it. */
  failed?(sample: { operation: KeyringOperation; code: ErrorCode }): void;
};
export type KeyringOperation =
  'references' | 'ensureSubjects' | 'closed' | 'sealer' | 'checkAlive' | 'setState' | 'tenantCommitment' | 'use' | 'check';

/** Answers that say something of the subject and nothing of the keyring. */
const answers: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['SUBJECT_CLOSING', 'ERASED']);

type TenantKeys = { readonly references: References; readonly wrapping: KeyObject; readonly commitment: KeyObject };

/** Per-subject data keys, envelopes, keyed references. Reached only through this class; a vault can stand behind the same methods. */
export class Keyring {
  readonly #store: KeyStore;
  readonly #provider: KeyProvider;
  readonly #leaseMs: number;
  readonly #clock: () => number;
  readonly #metrics: KeyringMetrics;
  readonly #tenants = new LRUCache<string, Promise<TenantKeys>>({ max: CACHED_TENANTS });
  readonly #cache = new LRUCache<string, SubjectKey>({ max: CACHED_SUBJECTS });

  private constructor(options: KeyringOptions) {
    const cacheSeconds = options.cacheSeconds ?? MAX_LEASE_SECONDS;
    const provider = options.provider ?? (options.masterKey && localProvider(options.masterKey));
    if (!provider) throw new PlatformError('CONFIGURATION_INVALID', 'a keyring needs a key provider');
    if (cacheSeconds < 0 || cacheSeconds > MAX_LEASE_SECONDS)
      throw new PlatformError('CONFIGURATION_INVALID', `a key lease is at most ${MAX_LEASE_SECONDS} seconds`);
    this.#store = new KeyStore(options.databaseUrl);
    this.#provider = provider;
    this.#leaseMs = cacheSeconds * 1000;
    this.#clock = options.clock ?? (() => performance.now());
    this.#metrics = options.metrics ?? {};
  }

  /** Connects lazily: a keyring that is down is a retryable error at the first use, not a failed start. */
  static async open(options: KeyringOptions): Promise<Keyring> {
    return new Keyring(options);
  }

  async close(): Promise<void> {
    this.#cache.clear();
    this.#tenants.clear();
    this.#provider.close();
    await this.#store.close();
  }

  /** One sentence about what keeps this process from its keys, or null: asked at its start. Counted like a key that cannot be had. */
  async problem(): Promise<string | null> {
    try {
      await this.#provider.version();
      const problem = await this.#store.problem();
      if (problem !== null) this.#metrics.failed?.({ operation: 'check', code: 'KEY_UNAVAILABLE' });
      return problem;
    } catch (error) {
      const { code, message } = isPlatformError(error)
        ? error
        : { code: 'INTERNAL' as const, message: 'the key provider failed' };
      this.#metrics.failed?.({ operation: 'check', code });
      return message;
    }
  }

  async references(tenantId: string): Promise<References> {
    return this.#measured('references', async () => (await this.#tenant(tenantId)).references);
  }

  /** Makes the keys that are missing and gives all of them. Throws SUBJECT_CLOSING where a closing row or a tombstone stands. */
  async ensureSubjects(tenantId: string, subjectIds: readonly string[]): Promise<SubjectKeys> {
    return this.#measured('ensureSubjects', async () => {
      const known = await this.#read(tenantId, subjectIds);
      const missing = [...new Set(subjectIds)].filter((subjectId) => !known.has(subjectId));
      if (missing.length > 0) for (const [subjectId, key] of await this.#create(tenantId, missing)) known.set(subjectId, key);
      refuseUnlessLive(known, subjectIds);
      return this.#keysOf(tenantId, known);
    });
  }

  /** Those of the subjects that take nothing new: closing, or with a tombstone. */
  async closed(tenantId: string, subjectIds: readonly string[]): Promise<ReadonlySet<string>> {
    const known = await this.#measured('closed', () => this.#read(tenantId, subjectIds));
    return new Set([...known].filter(([, key]) => key.state !== 'live').map(([subjectId]) => subjectId));
  }

  /** Keys of many subjects with at most one query. Subjects without a key are not an error here, but at their first use. */
  async sealer(tenantId: string, subjectIds: readonly string[]): Promise<SubjectKeys> {
    return this.#measured('sealer', async () => this.#keysOf(tenantId, await this.#read(tenantId, subjectIds)));
  }

  /**
   * To be asked right before an append that holds envelopes of these subjects: after it, a key may still be used for less than the
   * time that erasure waits. `spareMs` is what the append may take to begin: leases that end earlier are asked for again. Throws
   * SUBJECT_CLOSING or KEY_UNAVAILABLE.
   */
  async checkAlive(tenantId: string, subjectIds: readonly string[], spareMs = 0): Promise<void> {
    await this.#measured('checkAlive', async () => refuseUnlessLive(await this.#read(tenantId, subjectIds, spareMs), subjectIds));
  }

  /** `closing` stops new envelopes; `destroyed` forgets the key and leaves a tombstone. Repeating it is harmless. */
  async setState(tenantId: string, subjectId: string, state: Exclude<KeyState, 'live'>): Promise<void> {
    await this.#measured('setState', () => this.#store.setState(tenantId, subjectId, randomUUID(), state));
    this.#cache.delete(cacheKey(tenantId, subjectId));
  }

  /** Commitment to a value that belongs to no subject, for example an IP address. */
  async tenantCommitment(tenantId: string, name: string, value: string): Promise<string> {
    const { commitment } = await this.#measured('tenantCommitment', () => this.#tenant(tenantId));
    return hmac(commitment, `${name}\0${value}`).toString('base64url');
  }

  /** Subject under which items without a customer are sealed: one per tenant and UTC month, so that a month can be forgotten. */
  unattributedSubject(tenantId: string, at: Date): string {
    return uuidV5(`unattributed:${at.toISOString().slice(0, 7)}`, tenantId);
  }

  #keysOf(tenantId: string, known: ReadonlyMap<string, SubjectKey>): SubjectKeys {
    return new SubjectKeys(tenantId, known, () => this.#metrics.failed?.({ operation: 'use', code: 'KEY_UNAVAILABLE' }));
  }

  async #measured<T>(operation: KeyringOperation, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const code = isPlatformError(error) ? error.code : 'INTERNAL';
      if (!answers.has(code)) this.#metrics.failed?.({ operation, code });
      throw error;
    }
  }

  /** New keys; of two who make one for the same subject, one wins and both get it. */
  async #create(tenantId: string, subjectIds: readonly string[]): Promise<Map<string, SubjectKey>> {
    const { wrapping } = await this.#tenant(tenantId);
    const since = this.#clock();
    const fresh = subjectIds.map((subjectId) => ({
      subjectId,
      keyId: randomUUID(),
      wrapped: newWrappedKey(wrapping, subjectPlace(tenantId, subjectId)),
    }));
    return this.#remember(tenantId, await this.#store.insertSubjects(tenantId, fresh), since);
  }

  async #tenant(tenantId: string): Promise<TenantKeys> {
    const known = this.#tenants.get(tenantId);
    if (known) return known;
    const loading = this.#loadTenant(tenantId);
    this.#tenants.set(tenantId, loading);
    // A failure is not remembered: the next caller asks again.
    loading.catch(() => this.#tenants.delete(tenantId));
    return loading;
  }

  async #loadTenant(tenantId: string): Promise<TenantKeys> {
    const row = await this.#store.tenant(tenantId, () => freshTenant(tenantId, this.#provider));
    const keys = await this.#provider.unwrap(placedKeys(tenantId, row));
    const [reference, wrapping, commitment] = keys.map((key) => createSecretKey(key)) as [KeyObject, KeyObject, KeyObject];
    return { references: referencesOf(reference), wrapping, commitment };
  }

  /** Leased copies where there are some, one query for the rest. */
  async #read(tenantId: string, subjectIds: readonly string[], spareMs = 0): Promise<Map<string, SubjectKey>> {
    const now = this.#clock();
    const found = new Map<string, SubjectKey>();
    const asked: string[] = [];
    for (const subjectId of new Set(subjectIds)) {
      const cached = this.#cache.get(cacheKey(tenantId, subjectId));
      if (cached && now + spareMs < cached.leasedUntil) found.set(subjectId, cached);
      else asked.push(subjectId);
    }
    if (asked.length === 0) return found;
    const rows = await this.#store.subjects(tenantId, asked);
    for (const [subjectId, key] of await this.#remember(tenantId, rows, now)) found.set(subjectId, key);
    return found;
  }

  /** `since` is taken before the query, so that a slow answer shortens the lease instead of stretching it. */
  async #remember(tenantId: string, rows: readonly SubjectRow[], since: number): Promise<Map<string, SubjectKey>> {
    const { wrapping } = await this.#tenant(tenantId);
    const keys = new Map<string, SubjectKey>();
    for (const row of rows) {
      const root = row.wrapped && unwrapKey(wrapping, subjectPlace(tenantId, row.subject_id), row.wrapped);
      const key: SubjectKey = {
        state: row.state,
        keyId: row.key_id,
        keys: root && { enc: derive(root, 'enc'), nonce: derive(root, 'nonce'), commit: derive(root, 'commit') },
        leasedUntil: since + this.#leaseMs,
      };
      keys.set(row.subject_id, key);
      this.#cache.set(cacheKey(tenantId, row.subject_id), key);
    }
    return keys;
  }
}

const cacheKey = (tenantId: string, subjectId: string): string => `${tenantId}|${subjectId}`;
const subjectPlace = (tenantId: string, subjectId: string): string => `subject|${tenantId}|${subjectId}`;

const refuseUnlessLive = (known: ReadonlyMap<string, SubjectKey>, subjectIds: readonly string[]): void => {
  for (const subjectId of subjectIds) {
    const key = known.get(subjectId);
    if (!key) throw new PlatformError('KEY_UNAVAILABLE', 'no key and no tombstone for this subject', { subject: subjectId });
    if (key.state !== 'live')
      throw new PlatformError('SUBJECT_CLOSING', 'nothing new is recorded under this subject', {
        subject: subjectId,
        state: key.state,
      });
  }
};
