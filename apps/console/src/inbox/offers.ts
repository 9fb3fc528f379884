import type { Me } from '@centralita/contracts';

/** Offers that can still be answered: the nearest deadline first, without those that were answered a moment ago. */
export const openOffers = (offers: Me['offers'], answered: ReadonlySet<string>, now: number): Me['offers'] =>
  offers
    .filter(({ reservationId, expiresAt }) => !answered.has(reservationId) && Date.parse(expiresAt) > now)
    .toSorted((left, right) => Date.parse(left.expiresAt) - Date.parse(right.expiresAt));
