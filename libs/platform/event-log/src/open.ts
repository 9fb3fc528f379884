import type { EventLog, LogLogger, LogMetrics } from './port.js';
import type { ClientOptions } from './driver/options.js';
import { openKafkajsLog } from './kafkajs/log.js';

export type EventLogOptions = Omit<ClientOptions, 'logger'> & {
  /** Client behind the port. @default 'kafkajs' */
  readonly driver?: 'kafkajs';
  /** @default silent */
  readonly logger?: LogLogger;
  readonly metrics?: LogMetrics;
  /** Compression of produced batches. @default 'none' */
  readonly compression?: 'none' | 'gzip';
};

const silent: LogLogger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** Opens the log; the first call that needs a broker connects. Throws CONFIGURATION_INVALID when the client is not the known one. */
export const openEventLog = (options: EventLogOptions): EventLog =>
  openKafkajsLog({
    ...options,
    logger: options.logger ?? silent,
    metrics: options.metrics ?? {},
    compression: options.compression ?? 'none',
  });
