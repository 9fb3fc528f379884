import { createHash } from 'node:crypto';
import { picture } from './picture.js';
import type { Random } from './random.js';
import type { Customer } from './world.js';

export type JsonObject = { [key: string]: unknown };

/** Types that a phone can send; `hologram` is one that nobody knows yet. */
export const MessageTypes = [
  'text',
  'image',
  'video',
  'audio',
  'document',
  'sticker',
  'location',
  'contacts',
  'button',
  'interactive',
  'order',
  'reaction',
  'system',
  'edit',
  'revoke',
  'unsupported',
  'hologram',
] as const;
export type MessageType = (typeof MessageTypes)[number];

export type MessageOptions = {
  readonly text: string;
  readonly contextWamid?: string | undefined;
  readonly targetWamid?: string | undefined;
  readonly mediaLost?: boolean | undefined;
};

/** In the id of media that can be looked at; all other media is noise of the right length. */
const PICTURE = '77';

/** Bytes that the provider serves for a media id. Derived from the id, so that the phone and the Graph API agree without a store. */
export const mediaBytes = (mediaId: string): Buffer => {
  if (mediaId.endsWith(PICTURE)) return picture(mediaId);
  const block = createHash('sha256').update(mediaId).digest();
  return Buffer.concat(
    Array.from({ length: 64 }, (_, index) => createHash('sha256').update(block).update(String(index)).digest()),
  );
};

const media = (random: Random, mimeType: string, lost: boolean | undefined): JsonObject => {
  const id = `${lost ? 'lost' : 'media'}${random.digits(14)}${mimeType === 'image/png' ? PICTURE : '00'}`;
  return { id, mime_type: mimeType, sha256: createHash('sha256').update(mediaBytes(id)).digest('base64') };
};

/** The type's own part of a message, as the provider documents it. */
const payloads: Record<MessageType, (random: Random, customer: Customer, options: MessageOptions) => JsonObject> = {
  text: (_random, _customer, { text }) => ({ text: { body: text } }),
  image: (random, _customer, { text, mediaLost }) => ({ image: { ...media(random, 'image/png', mediaLost), caption: text } }),
  video: (random, _customer, { text, mediaLost }) => ({ video: { ...media(random, 'video/mp4', mediaLost), caption: text } }),
  audio: (random, _customer, { mediaLost }) => ({
    audio: { ...media(random, 'audio/ogg; codecs=opus', mediaLost), voice: true },
  }),
  document: (random, customer, { text, mediaLost }) => ({
    document: { ...media(random, 'application/pdf', mediaLost), caption: text, filename: `${customer.name}.pdf` },
  }),
  sticker: (random, _customer, { mediaLost }) => ({ sticker: { ...media(random, 'image/webp', mediaLost), animated: false } }),
  location: (_random, _customer, { text }) => ({
    location: { latitude: 40.4168, longitude: -3.7038, name: text, address: text },
  }),
  contacts: (_random, customer, { text }) => ({
    contacts: [
      {
        name: { formatted_name: text, first_name: text },
        phones: customer.phone ? [{ phone: `+${customer.phone}`, wa_id: customer.phone, type: 'CELL' }] : [],
        origin: 'other',
      },
    ],
  }),
  button: (_random, _customer, { text }) => ({ button: { payload: 'confirm', text } }),
  interactive: (_random, _customer, { text }) => ({
    interactive: { type: 'list_reply', list_reply: { id: 'row-1', title: text.slice(0, 24), description: text } },
  }),
  order: (_random, _customer, { text }) => ({
    order: {
      catalog_id: 'catalogue-1',
      text,
      product_items: [{ product_retailer_id: 'sku-1', quantity: 2, item_price: 12.5, currency: 'EUR' }],
    },
  }),
  reaction: (_random, _customer, { targetWamid }) => ({ reaction: { message_id: targetWamid, emoji: '❤️' } }),
  system: (_random, customer) => ({
    system: {
      body: `${customer.name} changed their number`,
      type: 'customer_identity_changed',
      identity: { acknowledged: true, created_timestamp: '1', hash: 'h' },
    },
  }),
  edit: (_random, _customer, { text, targetWamid }) => ({
    edit: { original_message_id: targetWamid, message: { type: 'text', text: { body: text } } },
  }),
  revoke: (_random, _customer, { targetWamid }) => ({ revoke: { original_message_id: targetWamid } }),
  unsupported: () => ({
    unsupported: { type: 'poll' },
    errors: [
      {
        code: 131051,
        title: 'Message type unknown',
        message: 'Message type unknown',
        error_data: { details: 'Message type is not currently supported.' },
      },
    ],
  }),
  hologram: (_random, _customer, { text }) => ({ hologram: { depth: 3, scene: text } }),
};

/** One element of messages[], with the identity fields that this customer's privacy leaves. */
export const messageItem = (
  random: Random,
  customer: Customer,
  type: MessageType,
  wamid: string,
  atSeconds: number,
  options: MessageOptions & { groupId?: string | undefined },
): JsonObject => ({
  ...(customer.phone ? { from: customer.phone } : {}),
  ...(customer.bsuid ? { from_user_id: customer.bsuid } : {}),
  ...(options.groupId ? { group_id: options.groupId } : {}),
  id: wamid,
  timestamp: String(atSeconds),
  type,
  ...(options.contextWamid ? { context: { from: customer.phone ?? customer.bsuid, id: options.contextWamid } } : {}),
  ...payloads[type](random, customer, options),
});

/** The contacts[] entry that goes with a customer's message. */
export const contactEntry = (customer: Customer): JsonObject => ({
  profile: { name: customer.name, ...(customer.username ? { username: customer.username } : {}) },
  ...(customer.phone ? { wa_id: customer.phone } : {}),
  ...(customer.bsuid ? { user_id: customer.bsuid } : {}),
});
