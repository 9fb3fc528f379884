import { Command, InvalidArgumentError } from 'commander';
import type { Io, Outcome } from '../../io.js';
import { DIFFERENT, DONE } from '../exit-codes.js';
import { ask, samplesOf } from '../http.js';
import { counted, operation } from '../operation.js';

/** Above this the services themselves refuse customer data: see AUDIT_MAX_OUTBOX_AGE_SECONDS. */
const STUCK_SECONDS = 60;

const urls = (url: string, before: readonly string[] = []): string[] => {
  if (!URL.canParse(url)) throw new InvalidArgumentError('not an address');
  return [...before, url.replace(/\/$/, '')];
};

/** `ops relay status`: what is committed and not yet on the log, by the metrics of the processes. */
export const relayCommand = (io: Io, outcome: Outcome): Command => {
  const relay = new Command('relay').description('what is committed and not yet on the log');
  relay.addCommand(
    operation(
      io,
      outcome,
      'status',
      'show how much waits in each outbox and for how long; exit 1 above a minute',
      async (command) => {
        const { metrics } = command.opts<{ metrics: string[] }>();
        const relays = await Promise.all(
          metrics.map(async (url) => {
            const { text } = await ask(io, `${url}/metrics`);
            const first = (name: string): number | null => samplesOf(text, name)[0]?.value ?? null;
            return { url, depth: first('outbox_depth'), oldestSeconds: first('outbox_oldest_age_seconds') };
          }),
        );
        const stuck = relays.some(({ oldestSeconds }) => (oldestSeconds ?? 0) > STUCK_SECONDS);
        return {
          exitCode: stuck ? DIFFERENT : DONE,
          json: { relays, stuck },
          lines: [
            ...relays.map(({ url, depth, oldestSeconds }) =>
              depth === null
                ? `${url} has no outbox`
                : `${url} ${counted(depth, 'event')}, oldest ${(oldestSeconds ?? 0).toFixed(1)} s`,
            ),
            `result: ${stuck ? 'STUCK' : 'OK'}`,
          ],
        };
      },
    ).requiredOption('--metrics <url>', 'address of the metrics port of a process; may be given several times', urls),
  );
  return relay;
};
