import { parsePhoneNumberFromString } from 'libphonenumber-js/core';
import metadata from 'libphonenumber-js/max/metadata';
import type { Identity } from './identifiers.js';

/** What rating needs once the phone is gone: ISO country and at most four leading digits. */
export type Market = { readonly country: string | null; readonly prefix: string | null };

/** Country by the numbering plan (+1 and +7 are shared by several), else by the prefix of the BSUID. */
export const marketOf = (identity: Identity): Market => {
  const byUserId = (identity.bsuid ?? identity.parentBsuid)?.slice(0, 2) ?? null;
  if (identity.phone === null) return { country: byUserId, prefix: null };
  const country = parsePhoneNumberFromString(`+${identity.phone}`, metadata)?.country ?? byUserId;
  return { country, prefix: identity.phone.slice(0, 4) };
};
