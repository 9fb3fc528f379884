/** What one WhatsApp user is known by. At least one is set wherever the platform attributes an item. */
export type Identity = {
  /** Digits only, as received: the provider's spelling, which may differ from what the user dials. */
  readonly phone: string | null;
  /** Business-scoped user id, for example `US.13491208655302741918`. */
  readonly bsuid: string | null;
  readonly parentBsuid: string | null;
};

export type IdentifierKind = 'phone' | 'bsuid' | 'parent_bsuid';

const BSUID = /^[A-Z]{2}\.[A-Za-z0-9]{1,128}$/;
const PARENT_BSUID = /^[A-Z]{2}\.ENT\.[A-Za-z0-9]{1,128}$/;
const PHONE = /^\+?[0-9][0-9 ().-]{3,30}$/;

/** What an identifier is, by its pattern and never by the field it stood in: a BSUID has been seen inside `from` and `wa_id`. */
export const classifyIdentifier = (text: string): { kind: IdentifierKind; value: string } | null => {
  if (BSUID.test(text)) return { kind: 'bsuid', value: text };
  if (PARENT_BSUID.test(text)) return { kind: 'parent_bsuid', value: text };
  if (!PHONE.test(text)) return null;
  const digits = text.replaceAll(/\D/g, '');
  return digits.length >= 4 && digits.length <= 20 ? { kind: 'phone', value: digits } : null;
};

/** Identity from everything a payload says about one user; of two values of a kind the first one holds. */
export const identityOf = (candidates: readonly (string | undefined)[]): Identity => {
  const found: Partial<Record<IdentifierKind, string>> = {};
  for (const candidate of candidates) {
    const classified = candidate === undefined ? null : classifyIdentifier(candidate);
    if (classified) found[classified.kind] ??= classified.value;
  }
  return { phone: found.phone ?? null, bsuid: found.bsuid ?? null, parentBsuid: found.parent_bsuid ?? null };
};

/** True when nothing names the user. */
export const isAnonymous = (identity: Identity): boolean =>
  identity.phone === null && identity.bsuid === null && identity.parentBsuid === null;
