import type { ClientOptions } from './driver/options.js';
import { openKafkajsLog } from './kafkajs/log.js';
import { openPlatformaticLog } from './platformatic/log.js';
import type { EventLog, LogLogger, LogMetrics } from './port.js';

/** Clients behind the port: both keep the same promises, and the same conformance suite holds them to it. */
export const LogDrivers = ['kafkajs', 'platformatic'] as const;
export type LogDriver = (typeof LogDrivers)[number];

export type EventLogOptions = Omit<ClientOptions, 'logger'> & {
  /** Client behind the port. @default 'kafkajs' */
  readonly driver?: LogDriver;
  /** @default silent */
  readonly logger?: LogLogger;
  readonly metrics?: LogMetrics;
  /** Compression of produced batches. @default 'none' */
  readonly compression?: 'none' | 'gzip';
};

const silent: LogLogger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const drivers = { kafkajs: openKafkajsLog, platformatic: openPlatformaticLog } as const;

/** Opens the log; the first call that needs a broker connects. Throws CONFIGURATION_INVALID when the client is not the known one. */
export const openEventLog = ({ driver = 'kafkajs', ...options }: EventLogOptions): EventLog =>
  drivers[driver]({
    ...options,
    logger: options.logger ?? silent,
    metrics: options.metrics ?? {},
    compression: options.compression ?? 'none',
  });
