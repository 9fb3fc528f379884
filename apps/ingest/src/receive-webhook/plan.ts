import { isAnonymous, marketOf, type Identity, type WebhookItem } from '@centralita/whatsapp';
import type { MetaApp } from '../apps.js';
import { indexIdentity, type IndexedIdentity } from '../directory/directory.js';
import { itemText, objectKeyOf } from './contents.js';
import {
  accountStream,
  clip,
  clipped,
  effective,
  EPOCH,
  ITEM_SCHEMA,
  mediaIdOf,
  onlySubject,
  sendIdOf,
  type Plan,
  type Surroundings,
} from './draft.js';
import type { KnownSend } from './known-sends.js';
import { placeOf, planOfUnknown, type UnknownReason } from './plan-unknown.js';

/** Hexadecimal or base64, as the provider writes checksums; anything else would say nothing. */
const CHECKSUM = /^[A-Za-z0-9+/=_-]{1,64}$/;

/** True when the app may write about this account and number. */
const isRegistered = ({ phoneNumberIds, wabaIds }: MetaApp, item: WebhookItem): boolean =>
  item.phoneNumberId === null ? wabaIds.has(item.wabaId) : phoneNumberIds.has(item.phoneNumberId);

/** The event of one item. Same bytes, same event: nothing here depends on the time of receipt, except where the item has none. */
export const planOf = (around: Surroundings, item: WebhookItem, send: KnownSend | undefined): Plan => {
  const { app, references } = around;
  const { tenantId } = app;
  const text = itemText(item, around.texts);
  const at = effective(item.at ?? item.entryTime ?? EPOCH, around.receivedAt);
  const providerTime = (item.at ?? item.entryTime ?? EPOCH).toISOString();
  const unknown = (reason: UnknownReason): Plan => planOfUnknown(around, item, text, reason);
  /** What every event of an item has; `ref` is what stands for the message in its id. */
  const common = (kind: string, ref: string, key: string, sealedUnder: string) => {
    const id = references.eventIdOfText(kind, ref, text.identity);
    const contents = text.sealedAs(objectKeyOf(tenantId, sealedUnder, id), references);
    return { id, time: providerTime, key, sealedUnder, schema: ITEM_SCHEMA, ...contents };
  };

  if (!isRegistered(app, item)) return unknown('unregistered_account');
  if (item.kind === 'unknown') return unknown(item.reason);
  if (item.kind === 'account') {
    const unattributed = around.unattributed(item.at ?? item.entryTime ?? around.receivedAt);
    return {
      identities: [],
      draft: () => ({
        ...common(`account:${item.field}`, placeOf(around, item), accountStream(tenantId, item.wabaId), unattributed),
        type: 'whatsapp.account.changed.v1',
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
  }
  // Every other item belongs to a business number.
  if (item.phoneNumberId === null) return unknown('unknown_item');

  const phoneNumberId = item.phoneNumberId;
  const origin = { app: app.app, wabaId: clip(item.wabaId, 64), phoneNumberId };
  // As received, except for halves of surrogate pairs, of which no reference can be made.
  const refOf = (wamid: string): string => references.messageRef(phoneNumberId, wamid.toWellFormed());
  const indexed = (identity: Identity, also?: Identity): IndexedIdentity => indexIdentity(references, identity, at, also);
  const ofGroup = (group: string): IndexedIdentity => indexIdentity(references, { group: group.toWellFormed() }, at);
  const participantOf = (identity: Identity): string => {
    const identifier = identity.bsuid ?? identity.parentBsuid ?? identity.phone;
    return identifier === null ? '-' : references.participantRef(identifier);
  };

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
                sha256: media.sha256 !== null && CHECKSUM.test(media.sha256) ? media.sha256 : null,
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
      // neither is known belongs to nobody. A participant of a group owns nothing of it, but gets a subject, under which the envelope
      // that names them is sealed: it goes when they are erased, and stays when the group is.
      if (send === undefined && groupId === null && isAnonymous(recipient)) return unknown('unknown_item');
      const participant = groupId === null || isAnonymous(recipient) ? [] : [indexed(recipient)];
      const owner = send !== undefined ? [] : [groupId === null ? indexed(recipient) : ofGroup(groupId)];
      return {
        identities: [...owner, ...participant],
        bound: groupId === null ? send?.key : undefined,
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
          ...common(
            'identity',
            item.wamid === null ? placeOf(around, item) : refOf(item.wamid),
            onlySubject(subjects),
            onlySubject(subjects),
          ),
          type: 'whatsapp.identity.changed.v1',
          data: { ...origin, change: clip(item.change, 64), providerTime, subjectId: onlySubject(subjects) },
        }),
      };
    }
    case 'preference':
      return {
        identities: [indexed(item.user)],
        draft: (subjects) => ({
          ...common('preference', placeOf(around, item), onlySubject(subjects), onlySubject(subjects)),
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
