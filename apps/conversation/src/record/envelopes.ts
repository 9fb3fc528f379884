import type { Sealed } from '@centralita/contracts';
import type { ItemPlaintext } from '@centralita/domain-conversation';
import type { SubjectKeys } from '@centralita/keyring';

/** Schemas of the plaintexts that this service seals. */
export const REPLY_SCHEMA = 'reply.v1';
export const NOTE_SCHEMA = 'note.v1';

/** What the sender opens: exactly one address, and words or a template. */
export type ReplyPlaintext = {
  readonly to?: string;
  readonly recipient?: string;
  readonly recipientType?: 'group';
  readonly text?: string;
  readonly template?: { readonly name: string; readonly language: string; readonly values: readonly string[] };
  readonly contextWamid?: string;
};
export type NotePlaintext = { readonly text: string };

/** A plaintext, or null when the key of its subject was destroyed. The shapes are those that its schema's producer wrote. */
const open = <Plaintext>(keys: SubjectKeys, sealed: Sealed): Plaintext | null => {
  const opened = keys.open(sealed);
  return opened.state === 'erased' ? null : (opened.value as Plaintext);
};
export const openItem = (keys: SubjectKeys, sealed: Sealed): ItemPlaintext | null => open<ItemPlaintext>(keys, sealed);
export const openReply = (keys: SubjectKeys, sealed: Sealed): ReplyPlaintext | null => open<ReplyPlaintext>(keys, sealed);
export const openNote = (keys: SubjectKeys, sealed: Sealed): NotePlaintext | null => open<NotePlaintext>(keys, sealed);
