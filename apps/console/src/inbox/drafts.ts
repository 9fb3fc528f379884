type Draft = { readonly reply: string; readonly note: string };
const empty: Draft = { reply: '', note: '' };
const kept = new Map<string, Draft>();

/** Texts that were begun and not sent, while this page lives. In memory only: what is written to a customer is not kept in a browser. */
export const drafts = {
  get: (conversation: string): Draft => kept.get(conversation) ?? empty,
  set: (conversation: string, kind: keyof Draft, text: string): void => {
    kept.set(conversation, { ...drafts.get(conversation), [kind]: text });
  },
  has: (conversation: string): boolean => Object.values(drafts.get(conversation)).some((text) => text.trim() !== ''),
};
