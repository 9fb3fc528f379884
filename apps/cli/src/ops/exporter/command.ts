import { once } from 'node:events';
import { isPlatformError } from '@centralita/contracts';
import { Command } from 'commander';
import type { Io, Outcome } from '../../io.js';
import { exitOf } from '../exit-codes.js';
import { startExporter } from './exporter.js';

const HELP = `
Settings: KAFKA_*, METRICS_PORT, HTTP_HOST, LOG_LEVEL; ARCHIVE_* (as for \`ops archive\`) to tell how old the archive is.
It reads positions that consumer groups commit to the brokers, needs no database, and ends on SIGTERM.`;

const LINGER_MS = 1_000;

/** `centralita ops exporter`: what only somebody outside of the services can measure, for Prometheus. */
export const exporterCommand = (io: Io, outcome: Outcome): Command =>
  new Command('exporter')
    .description('serve lag, topics, proofs and the age of the archive as metrics')
    .addHelpText('after', HELP)
    .action(async () => {
      try {
        const exporter = await startExporter({ ...io.env });
        await Promise.race(['SIGTERM', 'SIGINT'].map((signal) => once(process, signal)));
        await exporter.close();
        // A client that could not be closed, its log being away, must not keep the pod for the rest of its grace period.
        setTimeout(() => process.exit(), LINGER_MS).unref();
      } catch (error) {
        if (!isPlatformError(error)) throw error;
        io.err(`error: ${error.message}`);
        outcome.exitCode = exitOf(error);
      }
    });
