import type { References } from '@centralita/keyring';
import type { RawObject, WebhookItem } from '@centralita/whatsapp';
import { abridge } from './abridge.js';
import { sealable } from './sealable.js';

/**
 * Above this the plaintext of an item is too big for a record: as base64, and once more in an event of conversation that copies the
 * envelope, it has to stay below the broker's default of 1 MiB.
 */
export const MAX_ITEM_BYTES = 640 * 1024;

/** Bytes that go to the object store, as ciphertext, before the event that names them is appended. */
export type StoredObject = { readonly key: string; readonly bytes: Buffer };
/** Canonical JSON of what the envelope holds, and what goes to the object store first. */
export type Contents = { readonly canonical: string; readonly object: StoredObject | null };

export type ItemText = {
  /** What the event id is made from. */
  readonly identity: string;
  /** Canonical JSON of the whole: the element, with what surrounded it. */
  readonly whole: string;
  /** What is sealed into its event. Known items stay known, however big: then the envelope holds their beginning. */
  sealedAs(objectKey: string, references: Pick<References, 'digest'>): Contents;
};

/** Where the bytes of an event lie; also their context when they are sealed. */
export const objectKeyOf = (tenantId: string, subjectId: string, eventId: string): string =>
  `raw/${tenantId}/${subjectId}/${eventId}`;

/** Canonical JSON of what surrounds the items of one delivery: many share it, and it is written once. */
export type SurroundingTexts = Map<RawObject, string>;

const surroundingText = (written: SurroundingTexts, value: RawObject | null): string => {
  if (value === null) return 'null';
  const known = written.get(value) ?? sealable(value).item;
  written.set(value, known);
  return known;
};

/** Names are in the order of canonical JSON. */
const envelopeText = (contact: string, item: string, metadata: string, more: string): string =>
  `{"contact":${contact},"item":${item},"metadata":${metadata}${more}}`;

export const itemText = ({ raw: element, contact, metadata }: WebhookItem, written: SurroundingTexts): ItemText => {
  const { item, identity, raw } = sealable(element);
  const more = raw === undefined ? '' : `,"raw":${raw}`;
  const whole = envelopeText(surroundingText(written, contact), item, surroundingText(written, metadata), more);
  return {
    identity,
    whole,
    sealedAs: (key, references) => {
      if (Buffer.byteLength(whole) <= MAX_ITEM_BYTES) return { canonical: whole, object: null };
      const bytes = Buffer.from(whole);
      const rest = `,"whole":{"bytes":${bytes.length},"objectKey":${JSON.stringify(key)},"sha256":"${references.digest(bytes)}"}`;
      const [short, shortContact, shortMetadata] = [element, contact, metadata].map((value) => sealable(abridge(value)).item);
      return {
        canonical: envelopeText(String(shortContact), String(short), String(shortMetadata), rest),
        object: { key, bytes },
      };
    },
  };
};
