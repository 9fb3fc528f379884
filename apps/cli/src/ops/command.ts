import { Command } from 'commander';
import type { Io, Outcome } from '../io.js';
import { archiveCommand, restoreCommand } from './archive/command.js';
import { parkedCommand } from '../parked/command.js';
import { EXIT_CODES } from './exit-codes.js';
import { exporterCommand } from './exporter/command.js';
import { keyCommand } from './key/command.js';
import { keyringCommand } from './keyring/command.js';
import { lagCommand } from './lag/command.js';
import { projectionCommand } from './projection/command.js';
import { relayCommand } from './relay/command.js';
import { selftestCommand } from './selftest/command.js';
import { topicsCommand } from './topics/command.js';

/** A new operation is a line here. */
const subcommands: readonly ((io: Io, outcome: Outcome) => Command)[] = [
  lagCommand,
  relayCommand,
  parkedCommand,
  topicsCommand,
  projectionCommand,
  keyringCommand,
  keyCommand,
  archiveCommand,
  restoreCommand,
  selftestCommand,
  exporterCommand,
];

const HELP = `
Settings are those of the services, by the same names (KAFKA_*, ARCHIVE_*, …); what is wrong with them is one message and exit 78.
Exit codes:
${Object.entries(EXIT_CODES)
  .map(([code, meaning]) => `  ${code.padStart(2)} ${meaning}`)
  .join('\n')}`;

/** `centralita ops`: what a platform team does with an installation. What changes something is an event on operations.events.v1. */
export const opsCommand = (io: Io, outcome: Outcome): Command => {
  const ops = new Command('ops').description('operate an installation').addHelpText('after', HELP);
  for (const subcommand of subcommands) ops.addCommand(subcommand(io, outcome));
  return ops;
};
