import { encodeEvent, isPlatformError, PlatformError, schemaUri, type CloudEvent } from '@centralita/contracts';
import { eventRecord, type Batcher } from '@centralita/event-log';
import type { Keyring, SubjectKeys } from '@centralita/keyring';
import type { ObjectStore } from '@centralita/object-store';
import { parseWebhook, type WebhookItem } from '@centralita/whatsapp';
import type { MetaApp } from '../apps.js';
import type { Directory } from '../directory/directory.js';
import { sendIdOf, type Draft, type Plan, type Surroundings } from './draft.js';
import type { KnownSend, KnownSends } from './known-sends.js';
import { planOf } from './plan.js';
import { planOfBytes } from './plan-unknown.js';

export type ReceiverOptions = {
  readonly keyring: Keyring;
  readonly directory: Directory;
  readonly sends: KnownSends;
  readonly batcher: Pick<Batcher, 'add'>;
  readonly objects: ObjectStore;
  readonly clock: () => Date;
  /** Milliseconds from the body to the answer: what is not on its way to the log by then is left to the redelivery. */
  readonly budgetMs: number;
  /** Told of what became of a delivery, once its events are on the log. */
  readonly onRecorded?: (delivery: Recorded) => void;
};

export type Recorded = {
  readonly app: string;
  /** Type of each event, and of unknown ones the reason. */
  readonly events: readonly { readonly type: string; readonly reason: string | null }[];
  /** Statuses of messages to the erased, of whom nothing new is recorded. */
  readonly suppressed: number;
};

/**
 * Turns one verified body into events on the log. Resolves only when all of them are replicated, so that 200 is a promise. The order,
 * and what a failure means: in every case 503, the provider delivers again, and what is already on the log comes a second time under
 * the same ids.
 * 1. parse; 2. find the sends of statuses; 3. resolve subjects (rows of the directory stay, and are found again);
 * 4. make keys; 5. big payloads to the object store (same key, same bytes the next time); 6. check that the keys may be used until the
 * budget ends; 7. append, unless the budget has ended before the log's turn comes.
 */
export class Receiver {
  constructor(private readonly options: ReceiverOptions) {}

  /** Number of events recorded. */
  async receive(app: MetaApp, body: Buffer): Promise<number> {
    const { keyring, clock, budgetMs, onRecorded } = this.options;
    const deadline = performance.now() + budgetMs;
    const around: Surroundings = {
      app,
      references: await keyring.references(app.tenantId),
      receivedAt: clock(),
      unattributed: (at) => keyring.unattributedSubject(app.tenantId, at),
      texts: new Map(),
    };
    const plans = await this.#plans(around, body);
    const { drafts, suppressed } = await this.#record(around, plans, deadline);
    const events = drafts.map(({ type, data }) => ({ type, reason: 'reason' in data ? data.reason : null }));
    onRecorded?.({ app: app.app, events, suppressed });
    return events.length;
  }

  async #plans(around: Surroundings, body: Buffer): Promise<Plan[]> {
    const items = parsed(body);
    if (typeof items === 'string') return [planOfBytes(around, body, items)];
    const sends = await this.#sends(around, items);
    try {
      return items.map((item) => planOf(around, item, sends.get(item)));
    } catch (error) {
      // An element so deep that it cannot be written again: the whole body is kept instead.
      if (error instanceof RangeError) return [planOfBytes(around, body, 'not_envelope')];
      throw error;
    }
  }

  async #sends({ app, references }: Surroundings, items: readonly WebhookItem[]): Promise<Map<WebhookItem, KnownSend>> {
    const statuses = items.flatMap((item) =>
      item.kind === 'status' && item.phoneNumberId !== null && app.phoneNumberIds.has(item.phoneNumberId)
        ? [
            {
              item,
              sendId: sendIdOf(item.callbackData),
              messageRef: references.messageRef(item.phoneNumberId, item.wamid.toWellFormed()),
            },
          ]
        : [],
    );
    const found = await this.options.sends.find(app.tenantId, statuses);
    return new Map(statuses.flatMap(({ item }, at) => (found[at] === undefined ? [] : [[item, found[at]] as const])));
  }

  async #record(
    around: Surroundings,
    plans: readonly Plan[],
    deadline: number,
  ): Promise<{ drafts: readonly Draft[]; suppressed: number }> {
    try {
      return { drafts: await this.#append(around, plans, deadline, false), suppressed: 0 };
    } catch (error) {
      if (!isPlatformError(error, 'SUBJECT_CLOSING')) throw error;
      // Somebody is being erased, or has been. Whom the directory has let go is somebody new; what is said of a message that was sent
      // to them belongs to nobody any more.
      const bound = plans.flatMap((plan) => plan.bound ?? []);
      const closed = await this.options.keyring.closed(around.app.tenantId, bound);
      const kept = plans.filter((plan) => plan.bound === undefined || !closed.has(plan.bound));
      return { drafts: await this.#append(around, kept, deadline, true), suppressed: plans.length - kept.length };
    }
  }

  async #append(
    { app: { tenantId }, receivedAt }: Surroundings,
    plans: readonly Plan[],
    deadline: number,
    fresh: boolean,
  ): Promise<readonly Draft[]> {
    if (plans.length === 0) return [];
    const { keyring, directory, batcher, objects } = this.options;
    const identities = plans.flatMap((plan) => plan.identities);
    const resolved = await directory.resolve(tenantId, identities, fresh);
    let at = 0;
    const drafts = plans.map((plan) => plan.draft(resolved.slice(at, (at += plan.identities.length))));
    // Everybody whom the directory named, not only those who seal: a group has no contents of its own, yet replies to it are sealed under
    // it, and access records commit to it.
    const subjects = [...new Set([...drafts.map((draft) => draft.sealedUnder), ...resolved])];
    const keys = await keyring.ensureSubjects(tenantId, subjects);
    const recordedtime = receivedAt.toISOString();
    const records = drafts.map((draft) => {
      const value = encodeEvent(eventOf(tenantId, recordedtime, draft, keys));
      return eventRecord({ topic: 'wa.inbound.v1', key: draft.key, value });
    });
    for (const { object, sealedUnder } of drafts)
      if (object) await objects.put(object.key, keys.sealBytes(sealedUnder, object.key, object.bytes));
    const left = deadline - performance.now();
    if (left <= 0) throw new PlatformError('LOG_UNAVAILABLE', 'the delivery was not recorded in time');
    await keyring.checkAlive(tenantId, subjects, left);
    await batcher.add(records, undefined, () => performance.now() < deadline);
    return drafts;
  }
}

const eventOf = (tenantid: string, recordedtime: string, draft: Draft, keys: SubjectKeys): CloudEvent => {
  const { id, time, key, sealedUnder: subject, schema, canonical, type, data } = draft;
  const sealed = canonical === null ? null : keys.seal({ id, subject, schema, canonical });
  return {
    specversion: '1.0',
    id,
    source: '/centralita/ingest',
    type,
    time,
    subject: key,
    datacontenttype: 'application/json',
    dataschema: schemaUri(type),
    tenantid,
    recordedtime,
    correlationid: id,
    causationid: null,
    ...(sealed ? { keyid: sealed.kid } : {}),
    data: { ...data, sealed },
  };
};

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
