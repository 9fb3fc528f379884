import { createHmac, createSecretKey, hkdfSync, randomBytes, randomUUID, type KeyObject } from 'node:crypto';
import { PlatformError, Role } from '@centralita/contracts';
import type { Database } from '@centralita/event-store';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import type { GatewayConfig } from '../config.js';

/** Who is signed in. `reference` stands for the session in tokens and access records; the id is only in the cookie. */
export type SessionRecord = {
  readonly reference: string;
  readonly tenantId: string;
  readonly actorId: string;
  readonly label: string;
  readonly roles: readonly Role[];
  readonly expiresAt: Date;
};

type Row = { reference: string; tenant_id: string; actor_id: string; label: string; roles: string[]; expires_at: Date };

/** One secret, a key for each purpose. */
export const derivedKey = (secret: string, purpose: string): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), `centralita:${purpose}`, 32)));

/** `__Host-` binds the cookie to this host over https; a browser refuses that prefix over plain http. */
export const sessionCookieName = (config: Pick<GatewayConfig, 'PUBLIC_URL'>): string =>
  isSecure(config) ? '__Host-centralita-session' : 'centralita-session';
export const isSecure = (config: Pick<GatewayConfig, 'PUBLIC_URL'>): boolean => config.PUBLIC_URL.startsWith('https:');

/**
 * How long an open session is believed without asking the database again, in milliseconds. One that is ended here ends at once; one
 * that is ended at another instance opens this one no longer than that.
 */
export const BELIEVED_MS = 5000;

/** Login sessions: opaque random ids, kept as keyed hashes, so that a copy of the database signs nobody in. */
export class Sessions {
  readonly #hashKey: KeyObject;
  /** By hash of the id. Bounded by what is used; the answer that is still awaited stands here too, so that nobody asks twice. */
  readonly #believed = new LRUCache<string, Promise<SessionRecord | null>>({ max: 10_000, ttl: BELIEVED_MS });

  constructor(
    private readonly db: Pick<Database, 'system'>,
    private readonly config: Pick<GatewayConfig, 'SESSION_SECRET' | 'SESSION_HOURS' | 'PUBLIC_URL'>,
    private readonly clock: () => Date = () => new Date(),
  ) {
    this.#hashKey = derivedKey(config.SESSION_SECRET, 'session-id');
  }

  /** Opens a session and gives its id, which is not stored. Expired ones are swept on the way. */
  async open(person: Omit<SessionRecord, 'reference' | 'expiresAt'>): Promise<{ id: string; expiresAt: Date }> {
    const id = randomBytes(32).toString('base64url');
    const expiresAt = new Date(this.clock().getTime() + this.config.SESSION_HOURS * 3_600_000);
    await this.db.system(async (tx) => {
      await tx.execute('delete from session where expires_at < $1', [this.clock()]);
      await tx.execute(
        'insert into session (id_hash, reference, tenant_id, actor_id, label, roles, expires_at) values ($1, $2, $3, $4, $5, $6, $7)',
        [this.#hash(id), randomUUID(), person.tenantId, person.actorId, person.label, [...person.roles], expiresAt],
      );
    });
    return { id, expiresAt };
  }

  /** The session of a request, or null when its cookie opens none. */
  async find(request: FastifyRequest): Promise<SessionRecord | null> {
    const id = request.cookies[sessionCookieName(this.config)];
    if (id === undefined || !/^[A-Za-z0-9_-]{43}$/.test(id)) return null;
    const session = await this.#lookUp(this.#hash(id));
    return session !== null && session.expiresAt > this.clock() ? session : null;
  }

  async require(request: FastifyRequest): Promise<SessionRecord> {
    const session = await this.find(request);
    if (!session) throw new PlatformError('UNAUTHENTICATED', 'sign in first');
    return session;
  }

  async close(request: FastifyRequest): Promise<void> {
    const id = request.cookies[sessionCookieName(this.config)];
    if (id === undefined) return;
    const hash = this.#hash(id);
    await this.db.system((tx) => tx.execute('delete from session where id_hash = $1', [hash]));
    // After the row: an answer from before it went, or one that is still awaited, must not be believed any longer.
    this.#believed.delete(hash.toString('base64url'));
  }

  /** Strict: no other site can make the browser send it, not even by a link. */
  setCookie(reply: FastifyReply, id: string, expiresAt: Date): void {
    reply.setCookie(sessionCookieName(this.config), id, { ...this.#attributes(), expires: expiresAt });
  }

  clearCookie(reply: FastifyReply): void {
    reply.clearCookie(sessionCookieName(this.config), this.#attributes());
  }

  #lookUp(hash: Buffer): Promise<SessionRecord | null> {
    const key = hash.toString('base64url');
    const believed = this.#believed.get(key);
    if (believed) return believed;
    const asked = this.#read(hash);
    this.#believed.set(key, asked);
    // Only an open session is believed: a refusal or a failure is not kept.
    const forget = (): void => {
      if (this.#believed.get(key) === asked) this.#believed.delete(key);
    };
    asked.then((session) => (session === null ? forget() : undefined), forget);
    return asked;
  }

  async #read(hash: Buffer): Promise<SessionRecord | null> {
    const [row] = await this.db.system((tx) =>
      tx.query<Row>(
        'select reference, tenant_id, actor_id, label, roles, expires_at from session where id_hash = $1 and expires_at > $2',
        [hash, this.clock()],
      ),
    );
    if (!row) return null;
    return {
      reference: row.reference,
      tenantId: row.tenant_id,
      actorId: row.actor_id,
      label: row.label,
      roles: row.roles.flatMap((role) => Role.safeParse(role).data ?? []),
      expiresAt: row.expires_at,
    };
  }

  #attributes(): { path: string; httpOnly: true; sameSite: 'strict'; secure: boolean } {
    return { path: '/', httpOnly: true, sameSite: 'strict', secure: isSecure(this.config) };
  }

  #hash(id: string): Buffer {
    return createHmac('sha256', this.#hashKey).update(id).digest();
  }
}
