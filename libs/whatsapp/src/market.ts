import { parsePhoneNumberFromString } from 'libphonenumber-js/core';
import metadata from 'libphonenumber-js/max/metadata';
import type { Identity } from './identifiers.js';

/** What rating needs once the phone is gone: ISO country and at most four leading digits. */
export type Market = { readonly country: string | null; readonly prefix: string | null };

// Most calling codes belong to one country, and then nothing has to be parsed. No code is the beginning of another.
const soleCountries = new Map(
  Object.entries(metadata.country_calling_codes).flatMap(([code, countries]) =>
    countries.length === 1 && countries[0] !== undefined ? [[code, countries[0]] as const] : [],
  ),
);
/** Digits after the calling code with which the library takes a text for a number at all. */
const NATIONAL = { min: 2, max: 17 };

const soleCountry = (phone: string): string | undefined => {
  for (const digits of [1, 2, 3]) {
    const national = phone.length - digits;
    if (national >= NATIONAL.min && national <= NATIONAL.max) {
      const country = soleCountries.get(phone.slice(0, digits));
      if (country !== undefined) return country;
    }
  }
  return undefined;
};

/** Country by the numbering plan (+1 and +7 are shared by several), else by the prefix of the BSUID. */
export const marketOf = (identity: Identity): Market => {
  const { phone } = identity;
  const byUserId = (identity.bsuid ?? identity.parentBsuid)?.slice(0, 2) ?? null;
  if (phone === null) return { country: byUserId, prefix: null };
  const country = soleCountry(phone) ?? parsePhoneNumberFromString(`+${phone}`, metadata)?.country ?? byUserId;
  return { country, prefix: phone.slice(0, 4) };
};
