import type { PolicyBody } from '@centralita/contracts';
import type { z } from 'zod';

type Policy = z.input<typeof PolicyBody>;

/** The day is played in minutes: whoever does not answer an offer within two seconds has let it expire. */
export const dayPolicy: Policy = {
  selection: 'longest-idle',
  offerTimeoutMs: 2_000,
  wrapUpMs: 500,
  closingWindowMs: 2 * 60 * 60 * 1_000,
  awayAfterMissedOffers: null,
};

/** After the day people take over, who need time to read an offer. */
export const peoplePolicy: Policy = { ...dayPolicy, offerTimeoutMs: 30_000, wrapUpMs: 15_000, awayAfterMissedOffers: 3 };
