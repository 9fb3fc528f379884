import { encodeEvent, isPlatformError, PlatformError, schemaUri, type CloudEvent } from '@centralita/contracts';
import { eventRecord, type Batcher } from '@centralita/event-log';
import type { Database } from '@centralita/event-store';
import type { Keyring, SubjectKeys } from '@centralita/keyring';
import { parseWebhook, type WebhookItem } from '@centralita/whatsapp';
import type { MetaApp } from '../apps.js';
import type { Directory } from '../directory/directory.js';
import type { ObjectStore } from '../object-store/object-store.js';
import { findSends, type KnownSend } from './known-sends.js';
import { MAX_SEALED_BYTES, sendIdOf, type Draft, type Plan, type Surroundings } from './draft.js';
import { planOf, planOfBytes } from './plan.js';

export type ReceiverOptions = {
  readonly db: Database;
  readonly keyring: Keyring;
  readonly directory: Directory;
  readonly batcher: Pick<Batcher, 'add'>;
  readonly objects: ObjectStore;
  readonly clock: () => Date;
  /** Told of every event that is on the log: its type, and for unknown ones the reason. */
  readonly onRecorded?: (event: { readonly type: string; readonly reason: string | null }) => void;
};

/**
 * Turns one verified body into events on the log. Resolves only when all of them are replicated, so that 200 is a promise. The order,
 * and what a failure means: in every case 503, the provider delivers again, and what is already on the log comes a second time under
 * the same ids.
 * 1. parse; 2. find the sends of statuses; 3. resolve subjects (rows of the directory stay, and are found again);
 * 4. make keys; 5. big payloads to the object store (same key, same bytes the next time); 6. check the keys again; 7. append.
 */
export class Receiver {
  constructor(private readonly options: ReceiverOptions) {}

  /** Number of events recorded. */
  async receive(app: MetaApp, body: Buffer): Promise<number> {
    const { keyring, clock } = this.options;
    const around: Surroundings = {
      app,
      references: await keyring.references(app.tenantId),
      receivedAt: clock(),
      unattributed: (at) => keyring.unattributedSubject(app.tenantId, at),
    };
    const plans = await this.#plans(around, body);
    if (plans.length === 0) return 0;
    try {
      return await this.#record(around, plans);
    } catch (error) {
      if (!isPlatformError(error, 'SUBJECT_CLOSING')) throw error;
      // The person is being erased and the directory has let go of them: look again, and they are somebody new.
      this.options.directory.forget(app.tenantId, [String(error.details['subject'])]);
      return this.#record(around, plans);
    }
  }

  async #plans(around: Surroundings, body: Buffer): Promise<Plan[]> {
    const items = parsed(body);
    if (typeof items === 'string') return [planOfBytes(around, body, items)];
    const sends = await this.#sends(around, items);
    try {
      return items.map((item) => planOf(around, item, sends.get(item)));
    } catch (error) {
      // An element so deep or so odd that it cannot be written again: the whole body is kept instead.
      if (isPlatformError(error)) throw error;
      return [planOfBytes(around, body, 'not_envelope')];
    }
  }

  async #sends({ app, references }: Surroundings, items: readonly WebhookItem[]): Promise<Map<WebhookItem, KnownSend>> {
    const statuses = items.flatMap((item) =>
      item.kind === 'status' && item.phoneNumberId !== null
        ? [
            {
              item,
              sendId: sendIdOf(item.callbackData),
              messageRef: references.messageRef(item.phoneNumberId, item.wamid.toWellFormed()),
            },
          ]
        : [],
    );
    const found = await findSends(this.options.db, app.tenantId, statuses);
    return new Map(statuses.flatMap(({ item }, at) => (found[at] === undefined ? [] : [[item, found[at]] as const])));
  }

  async #record({ app, receivedAt }: Surroundings, plans: readonly Plan[]): Promise<number> {
    const { keyring, directory, batcher, onRecorded } = this.options;
    const { tenantId } = app;
    const resolved = await directory.resolve(
      tenantId,
      plans.flatMap((plan) => plan.identities),
    );
    const drafts = plans.map((plan) => plan.draft(resolved.splice(0, plan.identities.length)));
    const subjects = [...new Set(drafts.map((draft) => draft.sealedUnder))];
    await keyring.ensureSubjects(tenantId, subjects);
    const keys = await keyring.sealer(tenantId, subjects);
    const events: CloudEvent[] = [];
    for (const draft of drafts) events.push(await this.#seal(tenantId, receivedAt, draft, keys));
    const records = events.map((event) => eventRecord({ topic: 'wa.inbound.v1', key: event.subject, value: encodeEvent(event) }));
    await keyring.checkAlive(tenantId, subjects);
    await batcher.add(records);
    for (const { type, data } of drafts) onRecorded?.({ type, reason: 'reason' in data ? data.reason : null });
    return events.length;
  }

  async #seal(tenantId: string, receivedAt: Date, draft: Draft, keys: SubjectKeys): Promise<CloudEvent> {
    const { id, key, sealedUnder: subject, schema, plaintext, type } = draft;
    const tooBig = 'bytes' in draft && draft.bytes.length > MAX_SEALED_BYTES;
    const sealed = tooBig ? null : keys.seal({ id, subject, schema, plaintext });
    const objectKey = tooBig ? `raw/${tenantId}/${subject}/${id}` : null;
    if (objectKey !== null && 'bytes' in draft)
      await this.options.objects.put(objectKey, keys.sealBytes(subject, objectKey, draft.bytes));
    return {
      specversion: '1.0',
      id,
      source: '/centralita/ingest',
      type,
      time: draft.time.toISOString(),
      subject: key,
      datacontenttype: 'application/json',
      dataschema: schemaUri(type),
      tenantid: tenantId,
      recordedtime: receivedAt.toISOString(),
      correlationid: id,
      causationid: null,
      ...(sealed ? { keyid: sealed.kid } : {}),
      data: { ...draft.data, sealed, ...('bytes' in draft ? { objectKey } : {}) },
    };
  }
}

const parsed = (body: Buffer): readonly WebhookItem[] | 'not_json' | 'not_envelope' => {
  try {
    const webhook = parseWebhook(body);
    return 'problem' in webhook ? webhook.problem : webhook.items;
  } catch (error) {
    // Nested deeper than the stack: JSON, but nothing that Meta would send.
    if (error instanceof RangeError) return 'not_envelope';
    throw new PlatformError('INTERNAL', 'the body could not be parsed', {}, { cause: error });
  }
};
