import { object, text } from './read.js';

/** The plaintext of an inbound envelope, schema `wa.item.v1`. */
export type ItemPlaintext = { readonly item: unknown; readonly contact: unknown };

/** Where a reply goes: to the identity that wrote, and to no other. */
export type Address = { readonly to: string; readonly recipientType?: 'group' } | { readonly recipient: string };

const PHONE = /^\+?\d{5,20}$/;
const BSUID = /^[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}$/;
const digits = (phone: string): string => phone.replace('+', '');

// An identifier is known by its pattern: business-scoped ids have been seen in fields that are named for phones.
const candidates = ({ item, contact }: ItemPlaintext): string[] =>
  [object(item)?.['from'], object(item)?.['from_user_id'], object(contact)?.['wa_id'], object(contact)?.['user_id']].flatMap(
    (value) => text(value) ?? [],
  );

/** What an inbound item tells about who wrote it. */
export type Profile = { readonly name: string | null; readonly phone: string | null; readonly bsuid: string | null };

export const profileOf = (plaintext: ItemPlaintext): Profile => {
  const phone = candidates(plaintext).find((value) => PHONE.test(value));
  return {
    name: text(object(object(plaintext.contact)?.['profile'])?.['name']),
    phone: phone === undefined ? null : digits(phone),
    bsuid: candidates(plaintext).find((value) => BSUID.test(value)) ?? null,
  };
};

/**
 * The address that answers an inbound item: its group; else the phone it was sent from; else its business-scoped id. Null when the
 * item names nobody. A business-scoped id never goes where a phone belongs: the provider would take it and drop it silently.
 */
export const addressOf = (plaintext: ItemPlaintext): Address | null => {
  const group = text(object(plaintext.item)?.['group_id']);
  if (group !== null) return { to: group, recipientType: 'group' };
  const { phone, bsuid } = profileOf(plaintext);
  if (phone !== null) return { to: phone };
  return bsuid === null ? null : { recipient: bsuid };
};

/** The wamid of an item, for quoting it in a reply. */
export const wamidOf = (plaintext: ItemPlaintext): string | null => text(object(plaintext.item)?.['id']);

/** A phone of which only the last three digits are shown. */
export const maskPhone = (phone: string): string => `•••${phone.slice(-3)}`;
