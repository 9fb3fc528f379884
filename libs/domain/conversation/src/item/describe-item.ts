import { list, number, object, text, type Json } from './read.js';

/** What a person sees of an item. Everything here is personal data: it is made when a thread is read and kept nowhere. */
export type ItemDescription = {
  /** Words of the customer or of a chosen option; null when the item has none. */
  readonly text: string | null;
  /** Stands in for the words in a list, for example `[image]`; names the type as it was received. */
  readonly label: string;
  readonly location: { readonly latitude: number; readonly longitude: number; readonly name: string | null } | null;
  readonly contactNames: readonly string[];
  readonly fileName: string | null;
};

const interactiveText = (interactive: Json | null): string | null => {
  const reply = (name: string): Json | null => object(interactive?.[name]);
  return (
    text(reply('button_reply')?.['title']) ??
    text(reply('list_reply')?.['title']) ??
    text(reply('nfm_reply')?.['body']) ??
    text(reply('nfm_reply')?.['name']) ??
    text(reply('call_permission_reply')?.['response'])
  );
};

const orderText = (order: Json | null): string | null => {
  const lines = list(order?.['product_items']).flatMap((entry) => {
    const product = text(object(entry)?.['product_retailer_id']);
    return product === null ? [] : [`${String(number(object(entry)?.['quantity']) ?? 1)} × ${product}`];
  });
  return [text(order?.['text']), ...lines].filter((line) => line !== null).join('\n') || null;
};

const locationOf = (location: Json | null): ItemDescription['location'] => {
  const latitude = number(location?.['latitude']);
  const longitude = number(location?.['longitude']);
  if (latitude === null || longitude === null) return null;
  return { latitude, longitude, name: text(location?.['name']) ?? text(location?.['address']) };
};

const wordsOf = (type: string, item: Json): string | null => {
  const body = object(item[type]);
  switch (type) {
    case 'text':
    case 'system':
      return text(body?.['body']);
    case 'button':
      return text(body?.['text']);
    case 'interactive':
      return interactiveText(body);
    case 'order':
      return orderText(body);
    case 'reaction':
      return text(body?.['emoji']);
    default:
      return text(body?.['caption']);
  }
};

/**
 * Says what an item of messages[], message_echoes[] or calls[] is, whatever its type and however broken it is. An edit is described
 * by the message that it carries.
 */
export const describeItem = (item: unknown): ItemDescription => {
  const fields = object(item) ?? {};
  const type = text(fields['type']) ?? (text(fields['event']) === null ? 'unknown' : 'call');
  const body = object(fields[type]);
  if (type === 'edit' && object(body?.['message'])) return { ...describeItem(body?.['message']), label: '[edit]' };
  return {
    text: wordsOf(type, fields),
    label: `[${type}]`,
    location: type === 'location' ? locationOf(body) : null,
    contactNames:
      type === 'contacts'
        ? list(fields['contacts']).flatMap((card) => text(object(object(card)?.['name'])?.['formatted_name']) ?? [])
        : [],
    fileName: type === 'document' ? text(body?.['filename']) : null,
  };
};

/** The start of a message for a list row: one line, at most `length` characters, never half an emoji of two code units. */
export const preview = (description: ItemDescription, length = 96): string => {
  const line = (description.text ?? description.contactNames[0] ?? description.fileName ?? description.label)
    .replace(/\s+/gu, ' ')
    .trim();
  const characters = Array.from(line);
  return characters.length > length ? `${characters.slice(0, length - 1).join('')}…` : line;
};
