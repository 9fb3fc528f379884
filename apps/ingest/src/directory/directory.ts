import { randomUUID } from 'node:crypto';
import type { Database, Tx } from '@centralita/event-store';
import type { IdentityKind, References } from '@centralita/keyring';
import { LRUCache } from 'lru-cache';

/** Who an item is about, as the directory knows identifiers: by blind index, never in clear. */
export type IndexedIdentity = {
  readonly bsuid: string | null;
  readonly parentBsuid: string | null;
  readonly phone: string | null;
  readonly group: string | null;
  /** Identifiers that belong to the same subject from now on: what a rotation says is current. */
  readonly also?: { readonly bsuid: string | null; readonly parentBsuid: string | null; readonly phone: string | null };
  /** Effective time of the item in milliseconds: phones are read, and change hands, as of it. */
  readonly at: number;
};

type Identifiers = { readonly bsuid?: string | null; readonly parentBsuid?: string | null; readonly phone?: string | null };

export const indexIdentity = (
  references: References,
  identity: Identifiers & { readonly group?: string | null },
  at: number,
  also?: Identifiers,
): IndexedIdentity => {
  const index = (kind: IdentityKind, value: string | null | undefined): string | null =>
    value === null || value === undefined ? null : references.blindIndex(kind, value);
  const indexed = ({ bsuid, parentBsuid, phone }: Identifiers) => ({
    bsuid: index('bsuid', bsuid),
    parentBsuid: index('parent_bsuid', parentBsuid),
    phone: index('phone', phone),
  });
  return { ...indexed(identity), group: index('group', identity.group), at, ...(also ? { also: indexed(also) } : {}) };
};

type Row = { readonly kind: IdentityKind; readonly index: string; readonly subjectId: string; readonly since: number };

const BEGINNING = -Infinity;
const LOCKS_PER_TENANT = 256;
const CACHED = 100_000;
const CACHE_MS = 10 * 60_000;

/** The rows that concern some identities, and the rules that decide with them. Holds what is known and what is to be added. */
class Book {
  readonly added: Row[] = [];
  readonly #rows = new Map<string, Row[]>();
  readonly #withBsuid: Set<string>;

  constructor(rows: readonly Row[], withBsuid: readonly string[]) {
    for (const row of rows) this.#keep(row);
    this.#withBsuid = new Set(withBsuid);
  }

  /** The identity's subject. Mints one where none is known, and notes every row that is missing. */
  resolve(identity: IndexedIdentity, mint: () => string): string {
    const { bsuid, parentBsuid, phone, group, also, at } = identity;
    const known = this.#one('group', group) ?? this.#one('bsuid', bsuid) ?? this.#one('parent_bsuid', parentBsuid);
    const subjectId = known ?? this.#successor(identity) ?? this.#byPhone(bsuid, parentBsuid, phone, at) ?? mint();
    this.#put('group', group, subjectId);
    this.#put('bsuid', bsuid, subjectId);
    this.#put('parent_bsuid', parentBsuid, subjectId);
    this.#putPhone(phone, subjectId, at);
    if (also) {
      this.#put('bsuid', also.bsuid, subjectId);
      this.#put('parent_bsuid', also.parentBsuid, subjectId);
      this.#putPhone(also.phone, subjectId, at);
    }
    return subjectId;
  }

  /** A rotation whose previous identifiers nobody knows belongs to whom the current ones name. */
  #successor({ also }: IndexedIdentity): string | undefined {
    return also && (this.#one('bsuid', also.bsuid) ?? this.#one('parent_bsuid', also.parentBsuid));
  }

  /** A phone decides only when the item carries no BSUID, or when the one it carries is the first of the phone's subject. */
  #byPhone(bsuid: string | null, parentBsuid: string | null, phone: string | null, at: number): string | undefined {
    const owner = phone === null ? undefined : this.#ownerOfPhone(phone, at);
    if (owner === undefined || (bsuid === null && parentBsuid === null)) return owner;
    // Another BSUID on a known number: the number was recycled, and a stranger's history is not inherited.
    return this.#withBsuid.has(owner) ? undefined : owner;
  }

  /** As of the item's time, so that a redelivery after the number changed hands keeps its key. */
  #ownerOfPhone(phone: string, at: number): string | undefined {
    const rows = this.#rows.get(`phone|${phone}`) ?? [];
    return rows.filter((row) => row.since <= at).at(-1)?.subjectId;
  }

  #one(kind: IdentityKind, index: string | null): string | undefined {
    return index === null ? undefined : this.#rows.get(`${kind}|${index}`)?.[0]?.subjectId;
  }

  #put(kind: IdentityKind, index: string | null, subjectId: string): void {
    if (index === null || this.#one(kind, index) !== undefined) return;
    this.#add({ kind, index, subjectId, since: BEGINNING });
  }

  /** The first owner of a number has it from the beginning; the next from the time of the item that shows it. */
  #putPhone(phone: string | null, subjectId: string, at: number): void {
    if (phone === null) return;
    const owner = this.#ownerOfPhone(phone, at);
    if (owner === subjectId) return;
    const since = owner === undefined ? BEGINNING : at;
    const taken = this.#rows.get(`phone|${phone}`)?.some((row) => row.since === since);
    if (!taken) this.#add({ kind: 'phone', index: phone, subjectId, since });
  }

  #add(row: Row): void {
    this.added.push(row);
    this.#keep(row);
    if (row.kind === 'bsuid' || row.kind === 'parent_bsuid') this.#withBsuid.add(row.subjectId);
  }

  #keep(row: Row): void {
    const key = `${row.kind}|${row.index}`;
    this.#rows.set(
      key,
      [...(this.#rows.get(key) ?? []), row].sort((a, b) => a.since - b.since),
    );
  }
}

const identifiersOf = (identities: readonly IndexedIdentity[]): { kinds: IdentityKind[]; indexes: string[] } => {
  const all = new Map<string, [IdentityKind, string]>();
  const note = (kind: IdentityKind, index: string | null | undefined): void => {
    if (index !== null && index !== undefined) all.set(`${kind}|${index}`, [kind, index]);
  };
  for (const { bsuid, parentBsuid, phone, group, also } of identities) {
    note('bsuid', bsuid);
    note('parent_bsuid', parentBsuid);
    note('phone', phone);
    note('group', group);
    note('bsuid', also?.bsuid);
    note('parent_bsuid', also?.parentBsuid);
    note('phone', also?.phone);
  }
  const sorted = [...all.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, pair]) => pair);
  return { kinds: sorted.map(([kind]) => kind), indexes: sorted.map(([, index]) => index) };
};

/** Identity directory: which subject an identifier belongs to. A subject is one WhatsApp identity; it never changes its key. */
export class Directory {
  readonly #cache = new LRUCache<string, string>({ max: CACHED, ttl: CACHE_MS });

  constructor(
    private readonly db: Database,
    private readonly mint: () => string = randomUUID,
  ) {}

  /**
   * Subjects of these identities, in order; unknown ones get a new subject. Identities hold at least one identifier. `fresh` believes
   * nothing that is remembered: when a subject turned out to be closing its rows may be gone, and somebody else may have the identifier.
   */
  async resolve(tenantId: string, identities: readonly IndexedIdentity[], fresh = false): Promise<string[]> {
    const subjects = identities.map((identity) => (fresh ? undefined : this.#cached(tenantId, identity)));
    const open = identities.filter((_, at) => subjects[at] === undefined);
    const found = open.length === 0 ? [] : await this.#lookUp(tenantId, open);
    return subjects.map((subject) => subject ?? (found.shift() as string));
  }

  /** The subject of an identifier at a time, without making one. */
  async find(tenantId: string, identity: IndexedIdentity): Promise<string | null> {
    let known = true;
    const book = await this.db.withTenant(tenantId, (tx) => this.#read(tx, [identity]));
    const subjectId = book.resolve(identity, () => {
      known = false;
      return '';
    });
    return known ? subjectId : null;
  }

  async #lookUp(tenantId: string, identities: readonly IndexedIdentity[]): Promise<string[]> {
    const asked = await this.db.withTenant(tenantId, (tx) => this.#read(tx, identities));
    const known = identities.map((identity) => asked.resolve(identity, this.mint));
    const subjects = asked.added.length === 0 ? known : await this.#write(tenantId, identities);
    identities.forEach((identity, at) => this.#remember(tenantId, identity, subjects[at] as string));
    return subjects;
  }

  /**
   * One writer per identifier: locks first, sorted, then everything is read again. Without them two resolvers of one new customer
   * split it into two subjects, or each keeps one of its identifiers.
   */
  async #write(tenantId: string, identities: readonly IndexedIdentity[]): Promise<string[]> {
    return this.db.withTenant(tenantId, async (tx) => {
      const { kinds, indexes } = identifiersOf(identities);
      // Few enough locks for any batch: two identifiers in one bucket only wait for each other.
      await tx.query(
        `select pg_advisory_xact_lock(bucket) from (
           select distinct hashtextextended($1 || ':' || (hashtextextended(kind || '|' || value, 0) & ${LOCKS_PER_TENANT - 1}), 0) as bucket
           from unnest($2::text[], $3::text[]) as asked(kind, value) order by bucket offset 0
         ) buckets`,
        [tenantId, kinds, indexes],
      );
      const book = await this.#read(tx, identities);
      const subjects = identities.map((identity) => book.resolve(identity, this.mint));
      await tx.query(
        `insert into identity (tenant_id, kind, blind_index, since, subject_id)
         select $1, kind, value, case when since is null then '-infinity' else to_timestamp(since / 1000.0) end, subject
         from unnest($2::text[], $3::text[], $4::float8[], $5::uuid[]) as new(kind, value, since, subject) order by kind, value`,
        [
          tenantId,
          book.added.map((row) => row.kind),
          book.added.map((row) => row.index),
          book.added.map((row) => (row.since === BEGINNING ? null : row.since)),
          book.added.map((row) => row.subjectId),
        ],
      );
      return subjects;
    });
  }

  async #read(tx: Tx, identities: readonly IndexedIdentity[]): Promise<Book> {
    const { kinds, indexes } = identifiersOf(identities);
    const rows = await tx.query<{ kind: IdentityKind; index: string; subject: string; since: string | null; bsuid: boolean }>(
      `select i.kind, i.blind_index as index, i.subject_id as subject,
              case when i.since > '-infinity' then extract(epoch from i.since) * 1000 end as since,
              exists (select from identity b where b.tenant_id = i.tenant_id and b.subject_id = i.subject_id
                        and b.kind in ('bsuid', 'parent_bsuid')) as bsuid
       from unnest($2::text[], $3::text[]) as asked(kind, value)
       join identity i on i.tenant_id = $1 and i.kind = asked.kind and i.blind_index = asked.value`,
      [tx.tenantId, kinds, indexes],
    );
    return new Book(
      rows.map(({ kind, index, subject, since }) => ({
        kind,
        index,
        subjectId: subject,
        since: since === null ? BEGINNING : Math.round(Number(since)),
      })),
      rows.filter((row) => row.bsuid).map((row) => row.subject),
    );
  }

  #cached(tenantId: string, identity: IndexedIdentity): string | undefined {
    const key = cacheKey(tenantId, identity);
    return key === null ? undefined : this.#cache.get(key);
  }

  #remember(tenantId: string, identity: IndexedIdentity, subjectId: string): void {
    const key = cacheKey(tenantId, identity);
    if (key !== null) this.#cache.set(key, subjectId);
  }
}

/** What a BSUID or a group decides never changes and may be kept. A bare phone is read as of a time, and a rotation adds rows. */
const cacheKey = (tenantId: string, { bsuid, parentBsuid, phone, group, also }: IndexedIdentity): string | null =>
  also !== undefined || (bsuid === null && parentBsuid === null && group === null)
    ? null
    : [tenantId, bsuid, parentBsuid, phone, group].join('|');
