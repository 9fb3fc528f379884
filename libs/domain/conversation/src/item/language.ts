const countries: Readonly<Record<string, readonly string[]>> = {
  es: 'AR BO CL CO CR CU DO EC ES GQ GT HN MX NI PA PE PR PY SV UY VE'.split(' '),
  en: 'AU BB BS GB GH IE JM KE MT NG NZ SG TT UG US ZA ZM ZW'.split(' '),
  pt: 'AO BR CV GW MZ PT ST TL'.split(' '),
};
const byCountry = new Map(
  Object.entries(countries).flatMap(([language, list]) => list.map((country) => [country, language] as const)),
);

/** The language that a market most likely speaks, for routing; null when the market says too little. */
export const languageOfMarket = (country: string | null): string | null =>
  country === null ? null : (byCountry.get(country) ?? null);
