import type { EventData, EventType } from '@centralita/contracts';
import { canonicalBytes, type References } from '@centralita/keyring';
import { isAnonymous, marketOf, type Identity, type WebhookItem } from '@centralita/whatsapp';
import { v5 as uuidV5 } from 'uuid';
import type { MetaApp } from '../apps.js';
import { indexIdentity, type IndexedIdentity } from '../directory/directory.js';
import type { KnownSend } from './known-sends.js';
import { sealable } from './sealable.js';

/** Plaintext of an item's envelope: the element whole, with what surrounded it. */
export const ITEM_SCHEMA = 'wa.item.v1';
/** Plaintext of bytes that are not even an envelope: `{ base64 }`. */
export const RAW_SCHEMA = 'wa.raw.v1';

/** Above this a plaintext goes to the object store: as base64 in a record it would come near the broker's limit. */
export const MAX_SEALED_BYTES = 256 * 1024;

type UnknownData = Omit<EventData<'whatsapp.unknown.received.v1'>, 'sealed' | 'objectKey'>;
type Unsealed = {
  [Type in EventType]: { readonly type: Type; readonly data: Omit<EventData<Type>, 'sealed'> };
}[
  | 'whatsapp.message.received.v1'
  | 'whatsapp.status.changed.v1'
  | 'whatsapp.call.changed.v1'
  | 'whatsapp.echo.received.v1'
  | 'whatsapp.identity.changed.v1'
  | 'whatsapp.preference.changed.v1'
  | 'whatsapp.account.changed.v1'];

/** An event in the making: all but the envelope, which needs the keys of the subjects that the directory names. */
export type Draft = {
  readonly id: string;
  readonly time: Date;
  /** Record key and stream. */
  readonly key: string;
  /** Whose key seals the contents. */
  readonly sealedUnder: string;
  readonly schema: string;
  readonly plaintext: unknown;
} & (Unsealed | { readonly type: 'whatsapp.unknown.received.v1'; readonly data: UnknownData; readonly bytes: Buffer });

/** What one item needs from the directory, and the event that follows from the answer. */
export type Plan = {
  readonly identities: readonly IndexedIdentity[];
  readonly draft: (subjects: readonly string[]) => Draft;
};

export type Surroundings = {
  readonly app: MetaApp;
  readonly references: References;
  readonly receivedAt: Date;
  readonly unattributed: (at: Date) => string;
};

const EPOCH = new Date(0);
const DAY_MS = 24 * 60 * 60 * 1000;
const MIN_MS = 60 * 1000;

/** An open list's value, as short as the contract has it and without control characters: databases refuse some of them. */
const clip = (text: string, length: number): string =>
  text
    .replaceAll(/\p{Cc}/gu, '')
    .slice(0, length)
    .toWellFormed();
const clipped = (text: string | null, length: number): string | null => (text === null ? null : clip(text, length));

/** Provider time clamped as every fold clamps it: what is weeks old or in the future decides nothing about phones. */
const effective = (at: Date, receivedAt: Date): number =>
  Math.min(Math.max(at.getTime(), receivedAt.getTime() - 8 * DAY_MS), receivedAt.getTime() + 5 * MIN_MS);

const onlySubject = (subjects: readonly string[]): string => {
  const [subject] = subjects;
  if (subject === undefined) throw new RangeError('the directory gave no subject');
  return subject;
};

/** Stream of a registered account, for what concerns no customer. */
export const accountStream = (tenantId: string, wabaId: string): string => uuidV5(`account:${wabaId}`, tenantId);
/** Stream of what an app signed but may not write. */
export const quarantineStream = (tenantId: string, app: string): string => uuidV5(`quarantine:${app}`, tenantId);
/** Our id of the media of a message. */
export const mediaIdOf = (tenantId: string, messageRef: string): string => uuidV5(`media:${messageRef}`, tenantId);

/** True when the app may write about this account and number. */
const isRegistered = ({ phoneNumberIds, wabaIds }: MetaApp, item: WebhookItem): boolean =>
  item.phoneNumberId === null ? wabaIds.has(item.wabaId) : phoneNumberIds.has(item.phoneNumberId);

/** The event of one item. Same bytes, same event: nothing here depends on the time of receipt, except where the item has none. */
export const planOf = (around: Surroundings, item: WebhookItem, send: KnownSend | undefined): Plan => {
  const { app, references } = around;
  const { tenantId } = app;
  const { item: element, identity: identityOfItem, raw } = sealable(item.raw);
  const surroundings = sealable({ contact: item.contact, metadata: item.metadata }).item as {
    contact: unknown;
    metadata: unknown;
  };
  const plaintext = { item: element, ...surroundings, ...(raw === undefined ? {} : { raw }) };
  const size = canonicalBytes(plaintext).length;
  const time = item.at ?? item.entryTime ?? EPOCH;
  const providerTime = time.toISOString();
  const at = effective(time, around.receivedAt);
  const unattributed = around.unattributed(item.at ?? item.entryTime ?? around.receivedAt);

  /** Without a wamid the account and its time stand for the message; without either the month does, which also chose the key. */
  const place = `${item.wabaId}:${(item.at ?? item.entryTime)?.getTime() ?? unattributed}`;
  const unknown = (reason: UnknownData['reason']): Plan => {
    const bytes = canonicalBytes(plaintext);
    const key = reason === 'unregistered_account' ? quarantineStream(tenantId, app.app) : accountStream(tenantId, item.wabaId);
    return {
      identities: [],
      draft: () => ({
        type: 'whatsapp.unknown.received.v1',
        id: references.eventId(`unknown:${reason}:${item.field}`, place, identityOfItem),
        time,
        key,
        sealedUnder: unattributed,
        schema: ITEM_SCHEMA,
        plaintext,
        bytes,
        data: {
          app: app.app,
          wabaId: clip(item.wabaId, 64),
          phoneNumberId: clipped(item.phoneNumberId, 64),
          reason,
          field: clip(item.field, 64),
          providerTime,
          bytes: bytes.length,
          sha256: references.digest(bytes),
        },
      }),
    };
  };

  if (!isRegistered(app, item)) return unknown('unregistered_account');
  if (item.kind === 'unknown') return unknown(item.reason);
  // An envelope of that size fits no record: the item is kept in the object store, and somebody is told.
  if (size > MAX_SEALED_BYTES) return unknown('unknown_item');
  if (item.kind === 'account')
    return {
      identities: [],
      draft: () => ({
        type: 'whatsapp.account.changed.v1',
        id: references.eventId(`account:${item.field}`, place, identityOfItem),
        time,
        key: accountStream(tenantId, item.wabaId),
        sealedUnder: unattributed,
        schema: ITEM_SCHEMA,
        plaintext,
        data: {
          app: app.app,
          wabaId: clip(item.wabaId, 64),
          phoneNumberId: item.phoneNumberId,
          field: clip(item.field, 64),
          event: clipped(item.event, 64),
          providerTime,
        },
      }),
    };
  // Every other item belongs to a business number.
  if (item.phoneNumberId === null) return unknown('unknown_item');

  const phoneNumberId = item.phoneNumberId;
  const origin = { app: app.app, wabaId: clip(item.wabaId, 64), phoneNumberId };
  const refOf = (wamid: string): string => references.messageRef(phoneNumberId, wamid);
  const indexed = (identity: Identity, also?: Identity): IndexedIdentity => indexIdentity(references, identity, at, also);
  const ofGroup = (group: string): IndexedIdentity => indexIdentity(references, { group }, at);
  const participantOf = (identity: Identity): string => {
    const identifier = identity.bsuid ?? identity.parentBsuid ?? identity.phone;
    return identifier === null ? '-' : references.participantRef(identifier);
  };
  const common = (kind: string, ref: string, key: string, sealedUnder: string) => ({
    id: references.eventId(kind, ref, identityOfItem),
    time,
    key,
    sealedUnder,
    schema: ITEM_SCHEMA,
    plaintext,
  });

  switch (item.kind) {
    case 'message': {
      const messageRef = refOf(item.wamid);
      const { groupId, media, sender } = item;
      return {
        identities: [indexed(sender), ...(groupId === null ? [] : [ofGroup(groupId)])],
        draft: (subjects) => {
          const subjectId = onlySubject(subjects);
          return {
            // A group is the unit of order of its messages; each is sealed under who wrote it.
            ...common('message', messageRef, subjects[1] ?? subjectId, subjectId),
            type: 'whatsapp.message.received.v1',
            data: {
              ...origin,
              messageRef,
              messageType: clip(item.type, 64),
              providerTime,
              subjectId,
              group: groupId !== null,
              participant: groupId === null ? '-' : participantOf(sender),
              addressKind: sender.phone === null ? 'bsuid' : 'phone',
              marketHint: marketOf(sender),
              contextRef: item.contextWamid === null ? null : refOf(item.contextWamid),
              media: media && {
                mediaId: mediaIdOf(tenantId, messageRef),
                mimeType: clip(media.mimeType, 127),
                sha256: media.sha256 !== null && media.sha256.length <= 64 ? media.sha256 : null,
                voice: media.voice,
              },
              referral: item.referral,
            },
          };
        },
      };
    }
    case 'status': {
      const messageRef = refOf(item.wamid);
      const { recipient, groupId } = item;
      // The send decides whose conversation it is; who is named in the status may be spelled in another way. A status of which
      // neither is known belongs to nobody.
      if (send === undefined && groupId === null && isAnonymous(recipient)) return unknown('unknown_item');
      const participant = groupId === null || isAnonymous(recipient) ? [] : [indexed(recipient)];
      const owner = send !== undefined ? [] : [groupId === null ? indexed(recipient) : ofGroup(groupId)];
      return {
        identities: [...owner, ...participant],
        draft: (subjects) => {
          const key = send?.key ?? onlySubject(subjects);
          return {
            ...common('status', messageRef, key, subjects[owner.length] ?? key),
            type: 'whatsapp.status.changed.v1',
            data: {
              ...origin,
              messageRef,
              sendId: sendIdOf(item.callbackData),
              status: clip(item.status, 32),
              providerTime,
              participant: groupId === null ? '-' : participantOf(recipient),
              marketHint: isAnonymous(recipient) ? (send?.marketHint ?? marketOf(recipient)) : marketOf(recipient),
              pricing: item.pricing && {
                model: clipped(item.pricing.model, 32),
                type: clipped(item.pricing.type, 64),
                category: clipped(item.pricing.category, 64),
                subtype: clipped(item.pricing.subtype, 64),
                billable: item.pricing.billable,
              },
              origin: item.origin && {
                type: clipped(item.origin.type, 64),
                expiresAt: item.origin.expiresAt?.toISOString() ?? null,
              },
              errorCodes: item.errorCodes.slice(0, 20),
            },
          };
        },
      };
    }
    case 'call': {
      const callRef = refOf(item.callId);
      return {
        identities: [indexed(item.user)],
        draft: (subjects) => ({
          ...common('call', callRef, onlySubject(subjects), onlySubject(subjects)),
          type: 'whatsapp.call.changed.v1',
          data: {
            ...origin,
            callRef,
            event: clip(item.event, 32),
            direction: clipped(item.direction, 32),
            status: clipped(item.status, 32),
            providerTime,
            subjectId: onlySubject(subjects),
            marketHint: marketOf(item.user),
          },
        }),
      };
    }
    case 'echo': {
      const messageRef = refOf(item.wamid);
      return {
        identities: [indexed(item.recipient)],
        draft: (subjects) => ({
          ...common('echo', messageRef, onlySubject(subjects), onlySubject(subjects)),
          type: 'whatsapp.echo.received.v1',
          data: {
            ...origin,
            messageRef,
            messageType: clip(item.type, 64),
            providerTime,
            subjectId: onlySubject(subjects),
            marketHint: marketOf(item.recipient),
          },
        }),
      };
    }
    case 'identity': {
      const previous = isAnonymous(item.previous) ? item.current : item.previous;
      return {
        identities: [indexed(previous, item.current)],
        draft: (subjects) => ({
          ...common('identity', item.wamid === null ? place : refOf(item.wamid), onlySubject(subjects), onlySubject(subjects)),
          type: 'whatsapp.identity.changed.v1',
          data: { ...origin, change: clip(item.change, 64), providerTime, subjectId: onlySubject(subjects) },
        }),
      };
    }
    case 'preference':
      return {
        identities: [indexed(item.user)],
        draft: (subjects) => ({
          ...common('preference', place, onlySubject(subjects), onlySubject(subjects)),
          type: 'whatsapp.preference.changed.v1',
          data: {
            ...origin,
            category: clip(item.category, 64),
            value: clip(item.value, 32),
            providerTime,
            subjectId: onlySubject(subjects),
          },
        }),
      };
  }
};

/** The event of a signed body that is no JSON or no envelope. */
export const planOfBytes = (around: Surroundings, body: Buffer, reason: 'not_json' | 'not_envelope'): Plan => {
  const { app, references, receivedAt } = around;
  const unattributed = around.unattributed(receivedAt);
  const digest = references.digest(body);
  return {
    identities: [],
    draft: () => ({
      type: 'whatsapp.unknown.received.v1',
      id: references.eventId(`unknown:${reason}`, `${app.app}:${unattributed}`, { digest }),
      time: EPOCH,
      key: quarantineStream(app.tenantId, app.app),
      sealedUnder: unattributed,
      schema: RAW_SCHEMA,
      plaintext: { base64: body.toString('base64') },
      bytes: body,
      data: {
        app: app.app,
        wabaId: null,
        phoneNumberId: null,
        reason,
        field: null,
        providerTime: EPOCH.toISOString(),
        bytes: body.length,
        sha256: digest,
      },
    }),
  };
};

const SEND_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Our send id, if the callback data is one: other apps on the number put their own there. */
export const sendIdOf = (callbackData: string | null): string | null =>
  callbackData !== null && SEND_ID.test(callbackData) ? callbackData : null;
