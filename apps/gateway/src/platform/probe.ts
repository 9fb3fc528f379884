import type { PlatformProcessView } from '@centralita/contracts';
import { z } from 'zod';
import { scrapeOf, type Scrape } from './figures.js';
import type { PlatformTarget } from './targets.js';

const TIMEOUT_MS = 2000;
const MOST_BYTES = 4 * 1024 * 1024;
const LONGEST_REASON = 200;
const MOST_REASONS = 20;

/** As `/health/ready` answers, ready or not. */
const Ready = z.object({ status: z.enum(['ok', 'failing']), failing: z.record(z.string(), z.string()).default({}) });

export type Problem = NonNullable<PlatformProcessView['problem']>;
/** What a look at one process found. */
export type Finding = {
  readonly state: PlatformProcessView['state'];
  readonly failing: PlatformProcessView['failing'];
  readonly problem: Problem | null;
  readonly scrape: Scrape | null;
};
export type Probe = (target: Pick<PlatformTarget, 'url'>, signal: AbortSignal) => Promise<Finding>;

class Unreadable extends Error {}

const read = async (url: string, signal: AbortSignal): Promise<string> => {
  const response = await fetch(url, { signal, redirect: 'error' });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    const part = chunk as Uint8Array;
    bytes += part.length;
    // Leaving the loop cancels the rest.
    if (bytes > MOST_BYTES) throw new Unreadable(`more than ${MOST_BYTES} bytes`);
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString('utf8');
};

const problemOf = (error: unknown): Problem => {
  if (error instanceof Unreadable || error instanceof SyntaxError || error instanceof z.ZodError) return 'UNREADABLE';
  return error instanceof DOMException && error.name === 'TimeoutError' ? 'TIMEOUT' : 'REFUSED';
};

/** Asks a process whether it is ready and what its figures are, once, within two seconds. Never throws. */
export const probe: Probe = async ({ url }, signal) => {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const [health, metrics] = await Promise.allSettled([
    read(`${url}/health/ready`, bounded).then((text) => Ready.parse(JSON.parse(text))),
    read(`${url}/metrics`, bounded).then((text) => {
      const scrape = scrapeOf(text);
      if (scrape === null) throw new Unreadable('no figures of ours');
      return scrape;
    }),
  ]);
  const scrape = metrics.status === 'fulfilled' ? metrics.value : null;
  const problem = metrics.status === 'rejected' ? problemOf(metrics.reason) : null;
  if (health.status === 'rejected') {
    const reason = problemOf(health.reason);
    return scrape === null
      ? { state: 'down', failing: [], problem: reason, scrape }
      : { state: 'not_ready', failing: [{ check: 'health', reason: reason.toLowerCase() }], problem: null, scrape };
  }
  const failing = Object.entries(health.value.failing)
    .slice(0, MOST_REASONS)
    .map(([check, reason]) => ({ check: check.slice(0, LONGEST_REASON), reason: reason.slice(0, LONGEST_REASON) }));
  return { state: health.value.status === 'ok' ? 'ready' : 'not_ready', failing, problem, scrape };
};
