import type { EventData, EventType } from '@centralita/contracts';
import type { References } from '@centralita/keyring';
import { v5 as uuidV5 } from 'uuid';
import type { MetaApp } from '../apps.js';
import type { IndexedIdentity } from '../directory/directory.js';
import type { StoredObject, SurroundingTexts } from './contents.js';

/** Plaintext of an item's envelope: the element whole, with what surrounded it; or its beginning, and `whole` names the object. */
export const ITEM_SCHEMA = 'wa.item.v1';
/** Plaintext of bytes that are not even an envelope: `{ base64 }`. */
export const RAW_SCHEMA = 'wa.raw.v1';

type Unsealed = {
  [Type in EventType]: { readonly type: Type; readonly data: Omit<EventData<Type>, 'sealed'> };
}[
  | 'whatsapp.message.received.v1'
  | 'whatsapp.status.changed.v1'
  | 'whatsapp.call.changed.v1'
  | 'whatsapp.echo.received.v1'
  | 'whatsapp.identity.changed.v1'
  | 'whatsapp.preference.changed.v1'
  | 'whatsapp.account.changed.v1'
  | 'whatsapp.unknown.received.v1'];

/** An event in the making: all but the envelope, which needs the keys of the subjects that the directory names. */
export type Draft = {
  readonly id: string;
  /** UTC instant. */
  readonly time: string;
  /** Record key and stream. */
  readonly key: string;
  /** Whose key seals the contents. */
  readonly sealedUnder: string;
  readonly schema: string;
  /** Canonical JSON of what the envelope holds; null when all of it lies in the object store. */
  readonly canonical: string | null;
  readonly object: StoredObject | null;
} & Unsealed;

/** What one item needs from the directory, and the event that follows from the answer. */
export type Plan = {
  readonly identities: readonly IndexedIdentity[];
  /** The customer of the send that a status speaks of, whom no directory can make somebody else. */
  readonly bound?: string | undefined;
  readonly draft: (subjects: readonly string[]) => Draft;
};

export type Surroundings = {
  readonly app: MetaApp;
  readonly references: References;
  readonly receivedAt: Date;
  readonly unattributed: (at: Date) => string;
  readonly texts: SurroundingTexts;
};

export const EPOCH = new Date(0);
const DAY_MS = 24 * 60 * 60 * 1000;
const MIN_MS = 60 * 1000;

/** An open list's value, as short as the contract has it and without control characters: databases refuse some of them. */
export const clip = (text: string, length: number): string =>
  text
    .replaceAll(/\p{Cc}/gu, '')
    .slice(0, length)
    .toWellFormed();
export const clipped = (text: string | null, length: number): string | null => (text === null ? null : clip(text, length));

/** Provider time clamped as every fold clamps it: what is weeks old or in the future decides nothing about phones. */
export const effective = (at: Date, receivedAt: Date): number =>
  Math.min(Math.max(at.getTime(), receivedAt.getTime() - 8 * DAY_MS), receivedAt.getTime() + 5 * MIN_MS);

export const onlySubject = (subjects: readonly string[]): string => {
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

const SEND_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Our send id, if the callback data is one: other apps on the number put their own there. */
export const sendIdOf = (callbackData: string | null): string | null =>
  callbackData !== null && SEND_ID.test(callbackData) ? callbackData : null;
