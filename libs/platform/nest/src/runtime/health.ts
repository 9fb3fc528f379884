import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isPlatformError } from '@centralita/contracts';
import type { Metrics } from '../metrics.js';

/** Says what is wrong in one sentence (`no poll for 95 s`), or null. Never customer data: probes are open. */
export type HealthCheck = () => Promise<string | null> | string | null;
type Report = { readonly status: 'ok' | 'failing'; readonly failing: Readonly<Record<string, string>> };

const CHECK_TIMEOUT_MS = 2000;
const LOOP_RESOLUTION_MS = 50;
const LOOP_WINDOW_MS = 15_000;

/**
 * Liveness is the event loop alone: an outage of the log or a database must not restart the fleet. Readiness is what this process
 * needs to do its work now. Startup is true when everything has been built, and while the process waits for its surroundings: that
 * waiting is no failure to start, and whoever probes must not end it for that.
 */
export class Health {
  readonly #checks = new Map<string, HealthCheck>();
  readonly #held = new Map<string, string>();
  #started = false;
  #draining = false;

  /** Adds a condition of readiness. */
  add(name: string, check: HealthCheck): void {
    this.#checks.set(name, check);
  }

  /** Not ready for this reason, until it is called with null: what is waited for before there is anything to check. */
  hold(name: string, problem: string | null): void {
    if (problem === null) this.#held.delete(name);
    else this.#held.set(name, problem);
  }

  started(): void {
    this.#started = true;
  }

  drain(): void {
    this.#draining = true;
  }

  live(): Report {
    return { status: 'ok', failing: {} };
  }

  startup(): Report {
    return report(this.#started || this.#held.size > 0 ? {} : { startup: 'not finished' });
  }

  async ready(): Promise<Report> {
    const failing: Record<string, string> = Object.fromEntries(this.#held);
    if (!this.#started && this.#held.size === 0) failing.startup = 'not finished';
    if (this.#draining) failing.draining = 'shutting down';
    await Promise.all(
      [...this.#checks].map(async ([name, check]) => {
        const problem = await bounded(check);
        if (problem !== null) failing[name] = problem;
      }),
    );
    return report(failing);
  }
}

const report = (failing: Record<string, string>): Report => ({
  status: Object.keys(failing).length === 0 ? 'ok' : 'failing',
  failing,
});

const bounded = async (check: HealthCheck): Promise<string | null> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('no answer'), CHECK_TIMEOUT_MS);
  });
  try {
    return await Promise.race([Promise.resolve(check()), late]);
  } catch (error) {
    if (isPlatformError(error)) return error.message;
    return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'failed';
  } finally {
    clearTimeout(timer);
  }
};

/** What is recorded are the intervals between two looks, in nanoseconds, the intended one included: what is beyond it was delay. */
export const loopDelaySeconds = (interval: number): number => Math.max(0, interval / 1e9 - LOOP_RESOLUTION_MS / 1e3);

export type OperationsServer = { readonly port: number; close(): Promise<void> };

/** Serves /metrics and /health/{live,ready,startup} on a port of its own, which never leaves the cluster. */
export const startOperationsServer = async (options: {
  readonly port: number;
  readonly host: string;
  readonly health: Health;
  readonly metrics: Metrics;
}): Promise<OperationsServer> => {
  const { health, metrics } = options;
  // At 20 ms its timer alone costs 0.25 % of a core in an idle process.
  const delay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  delay.enable();
  // Windows of their own, so that whoever scrapes takes nothing from the others.
  let lastWindow = 0;
  const windows = setInterval(() => {
    lastWindow = loopDelaySeconds(delay.percentile(99));
    delay.reset();
  }, LOOP_WINDOW_MS).unref();
  const answer = async (path: string): Promise<{ status: number; type: string; body: string }> => {
    const probe = {
      '/health/live': () => health.live(),
      '/health/ready': () => health.ready(),
      '/health/startup': () => health.startup(),
    }[path];
    if (probe) {
      const found = await probe();
      return { status: found.status === 'ok' ? 200 : 503, type: 'application/json', body: JSON.stringify(found) };
    }
    if (path !== '/metrics') return { status: 404, type: 'text/plain', body: 'not found\n' };
    // The window that is not over yet counts too: a loop that is blocked now must not look idle.
    metrics.eventLoopDelay.set(Math.max(lastWindow, loopDelaySeconds(delay.percentile(99))));
    for (const look of metrics.beforeScrape) look();
    metrics.readinessFailing.reset();
    const { draining: _ends, ...failing } = (await health.ready()).failing;
    for (const check of Object.keys(failing)) metrics.readinessFailing.set({ check }, 1);
    return { status: 200, type: metrics.registry.contentType, body: await metrics.registry.metrics() };
  };
  const server: Server = createServer((request, response) => {
    answer((request.url ?? '/').split('?')[0] ?? '/').then(
      ({ status, type, body }) => response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise<void>((resolve) => {
        clearInterval(windows);
        delay.disable();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
