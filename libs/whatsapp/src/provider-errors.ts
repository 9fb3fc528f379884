/** Why the provider does not take a message; a closed list that agents see. */
export const ProviderRefusals = [
  'window_closed',
  'pair_rate_limited',
  'throughput_limited',
  'undeliverable',
  'recipient_opted_out',
  'template_invalid',
  'payment_required',
  'blocked',
  'not_permitted',
  'invalid_request',
  'provider_error',
] as const;
export type ProviderRefusal = (typeof ProviderRefusals)[number];

/** Error codes of the Cloud API. Subcodes are gone; branch on the code. */
const table = new Map<number, { readonly reason: ProviderRefusal; readonly meaning: string }>([
  [1, { reason: 'provider_error', meaning: 'API unknown' }],
  [2, { reason: 'provider_error', meaning: 'API service temporarily unavailable' }],
  [4, { reason: 'throughput_limited', meaning: 'app rate limit' }],
  [10, { reason: 'not_permitted', meaning: 'permission denied' }],
  [33, { reason: 'not_permitted', meaning: 'business number deleted' }],
  [100, { reason: 'invalid_request', meaning: 'invalid parameter' }],
  [190, { reason: 'not_permitted', meaning: 'access token expired' }],
  [368, { reason: 'blocked', meaning: 'temporarily blocked for policy violations' }],
  [80007, { reason: 'throughput_limited', meaning: 'account rate limit' }],
  [130403, { reason: 'blocked', meaning: 'the business blocked the user' }],
  [130429, { reason: 'throughput_limited', meaning: 'throughput limit' }],
  [130472, { reason: 'undeliverable', meaning: 'the user is part of an experiment' }],
  [131000, { reason: 'provider_error', meaning: 'unknown error' }],
  [131005, { reason: 'not_permitted', meaning: 'access denied' }],
  [131008, { reason: 'invalid_request', meaning: 'required parameter missing' }],
  [131009, { reason: 'invalid_request', meaning: 'parameter value invalid' }],
  [131016, { reason: 'provider_error', meaning: 'service temporarily unavailable' }],
  [131021, { reason: 'invalid_request', meaning: 'same sender and recipient' }],
  [131026, { reason: 'undeliverable', meaning: 'undeliverable, or not on WhatsApp' }],
  [131031, { reason: 'not_permitted', meaning: 'account locked' }],
  [131042, { reason: 'payment_required', meaning: 'payment problem' }],
  [131045, { reason: 'not_permitted', meaning: 'number not registered' }],
  [131047, { reason: 'window_closed', meaning: 'more than 24 h since the user last wrote' }],
  [131048, { reason: 'throughput_limited', meaning: 'spam restriction' }],
  [131049, { reason: 'undeliverable', meaning: 'held back for a healthy ecosystem' }],
  [131050, { reason: 'recipient_opted_out', meaning: 'the user opted out of marketing' }],
  [131051, { reason: 'invalid_request', meaning: 'unsupported message type' }],
  [131052, { reason: 'provider_error', meaning: 'media of the user cannot be downloaded' }],
  [131053, { reason: 'invalid_request', meaning: 'media cannot be uploaded' }],
  [131056, { reason: 'pair_rate_limited', meaning: 'pair rate limit' }],
  [131057, { reason: 'provider_error', meaning: 'maintenance or upgrade' }],
  [131062, { reason: 'invalid_request', meaning: 'BSUID not allowed for this template' }],
  [131064, { reason: 'template_invalid', meaning: 'template misclassification limit' }],
  [133004, { reason: 'provider_error', meaning: 'server temporarily unavailable' }],
  [133010, { reason: 'not_permitted', meaning: 'number not registered' }],
  [138006, { reason: 'not_permitted', meaning: 'no permission to call' }],
]);

/** Reason for a code. Total: a code that nobody knows is `provider_error`. */
export const refusalOf = (code: number | null): ProviderRefusal => {
  if (code === null) return 'provider_error';
  const known = table.get(code);
  if (known) return known.reason;
  if (code >= 132000 && code <= 132999) return 'template_invalid';
  if (code >= 147001 && code <= 147005) return 'invalid_request';
  if (code >= 200 && code <= 299) return 'not_permitted';
  return 'provider_error';
};

/** Meaning of a code in words, for logs and run books; null for a code that nobody knows. */
export const meaningOf = (code: number): string | null => table.get(code)?.meaning ?? null;
