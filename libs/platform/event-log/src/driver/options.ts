import type { ConnectionOptions } from 'node:tls';
import type { LogLogger, LogMetrics } from '../port.js';

/** A secret, or how to read it anew: asked at each sign-in, so that a rotated one needs no restart. May throw LOG_UNAVAILABLE. */
export type Secret = string | (() => string);

/** What a broker that refuses a token answers, by RFC 7628: a document, where nothing would be a welcome. */
export const refusesToken = (answer: Buffer): boolean => answer.includes('"status"');

export const tell = (secret: Secret): string => (typeof secret === 'string' ? secret : secret());

export type SaslOptions =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
      readonly username: string;
      readonly password: Secret;
    }
  /** A token that somebody else renews, for example the one that Kubernetes projects into a pod. */
  | { readonly mechanism: 'oauthbearer'; readonly token: Secret };

export type ClientOptions = {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly tls?: boolean | ConnectionOptions;
  readonly sasl?: SaslOptions;
  /** Tries before an operation gives up with LOG_UNAVAILABLE. @default 45, about 40 s */
  readonly retries?: number;
  readonly logger: LogLogger;
};

/** What `openEventLog` gives to a driver. */
export type DriverOptions = ClientOptions & { readonly metrics: LogMetrics; readonly compression: 'none' | 'gzip' };

/**
 * Tries of one operation: about 40 s, long enough for a broker to restart (its old registration alone takes 9 s to expire), in steps
 * that are short enough to notice its return.
 */
export const PATIENCE = { tries: 45, firstMs: 50, mostMs: 1000 } as const;
