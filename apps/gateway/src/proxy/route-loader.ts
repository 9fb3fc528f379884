import { describeError, type Logger } from '@centralita/platform-nest';
import type { GatewayConfig } from '../config.js';
import type { RouteTable } from './route-table.js';
import { addressOf, upstreams, type Upstream } from './services.js';

const EAGER_MS = 500;
const STEADY_MS = 30_000;

/** Reads the services' API documents: often while one is missing, then now and then, so that a new release is noticed. */
export class RouteLoader {
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #wasSteady = false;

  constructor(
    private readonly config: GatewayConfig,
    private readonly table: RouteTable,
    private readonly logger: Logger,
  ) {}

  start(): void {
    void this.#round();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #round(): Promise<void> {
    const wanted = this.#wasSteady ? upstreams : this.table.missing();
    await Promise.all(wanted.map((service) => this.#read(service)));
    if (this.#stopped) return;
    this.#wasSteady = this.table.missing().length === 0;
    this.#timer = setTimeout(() => void this.#round(), this.#wasSteady ? STEADY_MS : EAGER_MS).unref();
  }

  async #read(service: Upstream): Promise<void> {
    try {
      const response = await fetch(`${addressOf(this.config, service)}/openapi.json`, {
        signal: AbortSignal.timeout(3000),
        redirect: 'error',
      });
      if (!response.ok) throw new Error(`answered ${response.status}`);
      this.table.set(service, await response.json());
    } catch (error) {
      this.logger.debug({ service, err: describeError(error) }, 'api document not read');
    }
  }
}
