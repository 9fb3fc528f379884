const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export type SearchTarget =
  | { readonly kind: 'subject'; readonly id: string }
  | { readonly kind: 'identifier'; readonly body: { readonly phone: string } | { readonly bsuid: string } };

/** What somebody typed to find a person: a subject id, a phone number with whatever signs stand in it, else a BSUID. */
export const searchTarget = (text: string): SearchTarget => {
  const plain = text.trim();
  if (UUID.test(plain)) return { kind: 'subject', id: plain.toLowerCase() };
  const digits = plain.replace(/[\s().-]/g, '');
  if (/^\+?\d{6,18}$/.test(digits)) return { kind: 'identifier', body: { phone: digits } };
  return { kind: 'identifier', body: { bsuid: plain } };
};
