import { createHash } from 'node:crypto';
import { isPlatformError, type EventData } from '@centralita/contracts';
import type { Keyring } from '@centralita/keyring';
import type { ObjectStore } from '@centralita/object-store';
import type { Clock, Logger } from '@centralita/platform-nest';
import { mediaPartOf, type CloudApi, type MediaInfo } from '@centralita/whatsapp';
import type { MetaApps } from '../apps.js';
import type { Outbound } from '../outbound.js';
import { matchesChecksum } from './checksum.js';
import type { MediaJob, MediaJobs } from './jobs.js';
import type { MediaMemory } from './memory.js';

type Client = Pick<CloudApi, 'mediaInfo' | 'downloadMedia'>;
export type FetcherOptions = {
  readonly jobs: MediaJobs;
  readonly objects: ObjectStore;
  readonly outbound: Pick<Outbound, 'append'>;
  readonly keyring: Pick<Keyring, 'sealer' | 'checkAlive' | 'closed'>;
  readonly memory: MediaMemory;
  readonly apps: MetaApps;
  readonly clientOf: (tenantId: string, phoneNumberId: string) => Client | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly maxBytes: number;
  readonly concurrency: number;
  /** Seconds before the second try; each further one waits twice as long, up to ten minutes. */
  readonly backoffSeconds: number;
  readonly onOutcome?: (outcome: 'stored' | 'lost' | 'postponed') => void;
};

type LossReason = EventData<'media.lost.v1'>['reason'];
/** `again`: not now. */
type Missed = { readonly lost: LossReason } | 'again';
type Found = { readonly client: Client; readonly info: MediaInfo; readonly again: Missed };

const IDLE_MS = 250;
/** The provider keeps media of inbound messages for this long. */
const KEPT_MS = 7 * 24 * 3600 * 1000;
const MAX_BACKOFF_SECONDS = 600;
/** A checksum that is still wrong after so many downloads in a row is wrong for good. */
const MAX_MISMATCHES = 3;
/** Nonce and tag around the plaintext of an object. */
const CIPHER_OVERHEAD = 28;

export const mediaObjectKey = ({ tenantId, subjectId, mediaId }: Pick<MediaJob, 'tenantId' | 'subjectId' | 'mediaId'>): string =>
  `media/${tenantId}/${subjectId}/${mediaId}`;

/**
 * Fetches media before the provider forgets it. For one job: 1. look if the object is there already (a crash behind step 4);
 * 2. ask where the bytes are, 3. download and check them, 4. store them as ciphertext, 5. say so on the log, 6. note it. A crash
 * repeats from the start: same object, same event id. Trouble is tried again with growing pauses until the bytes are stored or gone.
 */
export class MediaFetcher {
  readonly #options: FetcherOptions;
  readonly #underWay = new Set<Promise<void>>();
  #running: Promise<void> | null = null;
  #stopped = false;
  #wake: () => void = () => undefined;

  constructor(options: FetcherOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Claims nothing more, lets what is under way end. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#running;
    await Promise.all(this.#underWay);
  }

  async #run(): Promise<void> {
    const { apps, jobs, concurrency, logger } = this.#options;
    for (let turn = 0; !this.#stopped; turn += 1) {
      let claimed = 0;
      try {
        for (const tenantId of apps.tenants(turn)) {
          const free = concurrency - this.#underWay.size;
          if (free <= 0) break;
          for (const job of await jobs.claim(tenantId, free)) {
            claimed += 1;
            this.#launch(job);
          }
        }
      } catch (error) {
        logger.error({ err: error }, 'the media fetcher could not look for work');
      }
      if (claimed === 0 || this.#underWay.size >= concurrency) await this.#idle();
    }
  }

  async #idle(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, IDLE_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #launch(job: MediaJob): void {
    const work = this.#process(job)
      .catch(async (error: unknown) => {
        this.#options.logger.warn({ err: error, mediaId: job.mediaId }, 'media could not be stored yet');
        await this.#postpone(job);
      })
      .catch((error: unknown) => {
        // The lease ends by itself and the job is claimed again.
        this.#options.logger.error({ err: error, mediaId: job.mediaId }, 'a media job could not be postponed');
      })
      .finally(() => {
        this.#underWay.delete(work);
        this.#wake();
      });
    this.#underWay.add(work);
  }

  async #process(job: MediaJob): Promise<void> {
    const { memory, objects, maxBytes } = this.#options;
    const key = mediaObjectKey(job);
    const standing = await objects.head(key);
    if (standing)
      return memory.whileFetching(standing.bytes, async () => {
        const cipher = await objects.get(key);
        return cipher ? this.#conclude(job, key, cipher) : this.#postpone(job);
      });
    const found = await this.#find(job);
    if (found === 'again' || 'lost' in found) return this.#miss(job, found);
    return memory.whileFetching(found.info.bytes ?? maxBytes, async () => {
      // Whoever had to wait until the end does not begin.
      if (this.#stopped) return this.#options.jobs.postpone(job, 0);
      const fetched = await this.#download(job, found);
      if (fetched === 'again' || 'lost' in fetched) return this.#miss(job, fetched);
      const cipher = await this.#store(job, key, fetched.bytes);
      return cipher ? this.#conclude(job, key, cipher) : this.#lose(job, 'refused');
    });
  }

  async #miss(job: MediaJob, missed: Missed): Promise<void> {
    return missed === 'again' ? this.#postpone(job) : this.#lose(job, missed.lost);
  }

  async #conclude(job: MediaJob, key: string, cipher: Buffer): Promise<void> {
    const bytes = cipher.length - CIPHER_OVERHEAD;
    const cipherSha256 = createHash('sha256').update(cipher).digest('hex');
    const { mediaId, messageRef, subjectId, mimeType } = job;
    await this.#say(job, {
      type: 'media.stored.v1',
      data: { mediaId, messageRef, subjectId, mimeType, bytes, cipherSha256, objectKey: key },
    });
    await this.#options.jobs.stored(job, { key, bytes, cipherSha256 });
    this.#options.onOutcome?.('stored');
  }

  async #find(job: MediaJob): Promise<Found | Missed> {
    const { keyring, clientOf, clock, maxBytes } = this.#options;
    const client = clientOf(job.tenantId, job.phoneNumberId);
    if (!client) return { lost: 'refused' };
    const keys = await keyring.sealer(job.tenantId, [job.sealed.subject]);
    const opened = keys.open(job.sealed);
    const media = opened.state === 'erased' ? null : mediaPartOf((opened.value as { item?: unknown }).item);
    if (!media) return { lost: 'refused' };
    // Asked once more even when it is late: the provider may keep it longer than it says.
    const tooLate = clock().getTime() - job.providerTime.getTime() > KEPT_MS;
    const again: Missed = tooLate ? { lost: 'expired' } : 'again';
    const found = await client.mediaInfo(media.providerMediaId, job.phoneNumberId);
    if (found.outcome !== 'found') return found.outcome === 'gone' ? { lost: tooLate ? 'expired' : 'not_found' } : again;
    if (found.info.bytes !== null && found.info.bytes > maxBytes) return { lost: 'too_big' };
    return { client, info: found.info, again };
  }

  async #download(job: MediaJob, { client, info, again }: Found): Promise<{ readonly bytes: Buffer } | Missed> {
    for (let mismatches = 0; mismatches < MAX_MISMATCHES; mismatches += 1) {
      const download = await client.downloadMedia(info.url, this.#options.maxBytes);
      // A link lives five minutes; when it is gone a new one may be asked for.
      if (download.outcome === 'retry' || download.outcome === 'gone') return again;
      if (download.outcome !== 'bytes') return { lost: download.outcome };
      if (matchesChecksum(download.bytes, job.sha256, info.sha256)) return { bytes: download.bytes };
    }
    return { lost: 'hash_mismatch' };
  }

  /** The ciphertext, or null when the sender is being erased. */
  async #store(job: MediaJob, objectKey: string, bytes: Buffer): Promise<Buffer | null> {
    const { keyring, objects } = this.#options;
    try {
      const cipher = (await keyring.sealer(job.tenantId, [job.subjectId])).sealBytes(job.subjectId, objectKey, bytes);
      await keyring.checkAlive(job.tenantId, [job.subjectId]);
      await objects.put(objectKey, cipher);
      return cipher;
    } catch (error) {
      if (isPlatformError(error, 'SUBJECT_CLOSING')) return null;
      throw error;
    }
  }

  async #lose(job: MediaJob, reason: LossReason): Promise<void> {
    const { mediaId, messageRef, subjectId } = job;
    await this.#say(job, { type: 'media.lost.v1', data: { mediaId, messageRef, subjectId, reason } });
    await this.#options.jobs.lost(job);
    this.#options.logger.warn({ mediaId, reason }, 'media is lost');
    this.#options.onOutcome?.('lost');
  }

  async #postpone(job: MediaJob): Promise<void> {
    const seconds = Math.min(this.#options.backoffSeconds * 2 ** job.attempts, MAX_BACKOFF_SECONDS);
    await this.#options.jobs.postpone(job, seconds);
    this.#options.onOutcome?.('postponed');
  }

  async #say(
    { tenantId, key, mediaId }: MediaJob,
    fact:
      | { readonly type: 'media.stored.v1'; readonly data: EventData<'media.stored.v1'> }
      | { readonly type: 'media.lost.v1'; readonly data: EventData<'media.lost.v1'> },
  ): Promise<void> {
    // Where a tombstone stands, or will, there is no new record.
    if ((await this.#options.keyring.closed(tenantId, [key, fact.data.subjectId])).size > 0) return;
    await this.#options.outbound.append({ ...fact, tenantId, key, about: mediaId, attempt: 1, flow: null });
  }
}
