import { PlatformError } from '@centralita/contracts';
import type { Io } from '../io.js';

const TIMEOUT_MS = 10_000;

/** One request to a process of the installation. Throws UPSTREAM_UNAVAILABLE when nobody answers. */
export const ask = async (
  io: Io,
  url: string,
  init: RequestInit = {},
): Promise<{ readonly status: number; readonly text: string }> => {
  try {
    const response = await io.fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    throw new PlatformError('UPSTREAM_UNAVAILABLE', `${new URL(url).origin} does not answer: ${causeOf(error)}`);
  }
};

/** What fetch calls `fetch failed` has its reason in the cause. */
const causeOf = (error: unknown): string => {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : 'no answer in time';
};

/** Samples of one metric in the text format of Prometheus: labels as they stand, and the value. */
export const samplesOf = (text: string, name: string): { readonly labels: string; readonly value: number }[] =>
  text.split('\n').flatMap((line) => {
    const [, found, labels = '', value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
    return found === name ? [{ labels, value: Number(value) }] : [];
  });

/** What is set of `SELFTEST_<NAME>_URL` and its like: names in lower case with hyphens, in order. */
export const addressesOf = (io: Io, ending: '_URL' | '_HEALTH_URL'): { readonly name: string; readonly url: string }[] =>
  Object.entries(io.env)
    .flatMap(([variable, url]) => {
      const [, name] = new RegExp(`^SELFTEST_(.+)${ending}$`).exec(variable) ?? [];
      if (name === undefined || url === undefined || url === '' || (ending === '_URL' && name.endsWith('_HEALTH'))) return [];
      if (!URL.canParse(url)) throw new PlatformError('CONFIGURATION_INVALID', `${variable} must be a URL`);
      return [{ name: name.toLowerCase().replaceAll('_', '-'), url: url.replace(/\/$/, '') }];
    })
    .sort((one, other) => (one.name < other.name ? -1 : 1));
