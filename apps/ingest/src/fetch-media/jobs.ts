import type { Sealed } from '@centralita/contracts';
import type { Database, Tx } from '@centralita/event-store';

/** Media of one message, to be fetched before the provider forgets it. */
export type MediaJob = {
  readonly tenantId: string;
  readonly mediaId: string;
  /** Record key of the message: the sender, or the group. */
  readonly key: string;
  /** The sender, under whose key the bytes are kept. */
  readonly subjectId: string;
  readonly messageRef: string;
  readonly phoneNumberId: string;
  readonly mimeType: string;
  readonly sha256: string | null;
  readonly sealed: Sealed;
  readonly providerTime: Date;
  /** Tries that have ended without bytes. */
  readonly attempts: number;
};

/** Seconds after which a fetch is taken for dead; longer than three downloads of the biggest media. A second one at the same time would do no harm. */
const LEASE_SECONDS = 900;

const columns = `m.media_id as "mediaId", m.key, m.subject_id as "subjectId", m.message_ref as "messageRef",
  m.phone_number_id as "phoneNumberId", m.mime_type as "mimeType", m.sha256, m.sealed, m.provider_time as "providerTime", m.attempts`;

export class MediaJobs {
  constructor(private readonly db: Database) {}

  async add(tx: Tx, jobs: readonly Omit<MediaJob, 'tenantId' | 'attempts'>[]): Promise<void> {
    if (jobs.length === 0) return;
    await tx.execute(
      `insert into media (tenant_id, media_id, key, subject_id, message_ref, phone_number_id, mime_type, sha256, sealed, provider_time, state)
       select $1, "mediaId", key, "subjectId", "messageRef", "phoneNumberId", "mimeType", sha256, sealed, "providerTime", 'waiting'
       from jsonb_to_recordset($2::jsonb) as u("mediaId" uuid, key uuid, "subjectId" uuid, "messageRef" text, "phoneNumberId" text,
         "mimeType" text, sha256 text, sealed jsonb, "providerTime" timestamptz)
       order by "mediaId" on conflict (tenant_id, media_id) do nothing`,
      [tx.tenantId, JSON.stringify(jobs)],
    );
  }

  /** Takes jobs that are due, the oldest first. */
  async claim(tenantId: string, limit: number): Promise<MediaJob[]> {
    const rows = await this.db.withTenant(tenantId, (tx) =>
      tx.query<Omit<MediaJob, 'tenantId'>>(
        `update media m set lease_until = now() + make_interval(secs => ${LEASE_SECONDS})
         from (
           select media_id from media
           where tenant_id = $1 and state = 'waiting' and not_before <= now() and (lease_until is null or lease_until < now())
           order by provider_time limit $2 for no key update skip locked
         ) due
         where m.tenant_id = $1 and m.media_id = due.media_id returning ${columns}`,
        [tenantId, limit],
      ),
    );
    return rows.map((row) => ({ ...row, tenantId }));
  }

  async postpone({ tenantId, mediaId }: MediaJob, seconds: number): Promise<void> {
    await this.db.withTenant(tenantId, (tx) =>
      tx.execute(
        `update media set attempts = attempts + 1, lease_until = null, not_before = now() + make_interval(secs => $3)
         where tenant_id = $1 and media_id = $2 and state = 'waiting'`,
        [tenantId, mediaId, seconds],
      ),
    );
  }

  async stored({ tenantId, mediaId }: MediaJob, object: { key: string; bytes: number; cipherSha256: string }): Promise<void> {
    await this.db.withTenant(tenantId, (tx) =>
      tx.execute(
        `update media set state = 'stored', lease_until = null, object_key = $3, bytes = $4, cipher_sha256 = $5
         where tenant_id = $1 and media_id = $2`,
        [tenantId, mediaId, object.key, object.bytes, object.cipherSha256],
      ),
    );
  }

  async lost({ tenantId, mediaId }: MediaJob): Promise<void> {
    await this.db.withTenant(tenantId, (tx) =>
      tx.execute(`update media set state = 'lost', lease_until = null where tenant_id = $1 and media_id = $2`, [
        tenantId,
        mediaId,
      ]),
    );
  }

  /** What is stored under our id, for reading. Null when there is nothing, or not yet. */
  async find(
    tenantId: string,
    mediaId: string,
  ): Promise<{
    readonly subjectId: string;
    readonly mimeType: string;
    readonly objectKey: string;
    readonly bytes: number;
  } | null> {
    const [row] = await this.db.withTenant(tenantId, (tx) =>
      tx.query<{ subjectId: string; mimeType: string; objectKey: string; bytes: number }>(
        `select subject_id as "subjectId", mime_type as "mimeType", object_key as "objectKey", bytes::float8
         from media where tenant_id = $1 and media_id = $2 and state = 'stored'`,
        [tenantId, mediaId],
      ),
    );
    return row ?? null;
  }
}
