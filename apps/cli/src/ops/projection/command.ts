import {
  decodeEvent,
  ErrorCodes,
  isType,
  PlatformError,
  PlatformProjections,
  type PlatformProjection,
} from '@centralita/contracts';
import type { EventLog } from '@centralita/event-log';
import { Argument, Command } from 'commander';
import { z } from 'zod';
import type { Io, Outcome, RanService } from '../../io.js';
import { DONE, EXIT_CONFIGURATION } from '../exit-codes.js';
import { withLog } from '../log.js';
import { counted, operation, type Answer } from '../operation.js';

const TOPIC = 'operations.events.v1';
const TYPE = 'projection.rebuilt.v1';
const names = Object.keys(PlatformProjections) as PlatformProjection[];

type Rebuilt = { readonly at: string; readonly rows: string };
type Listed = { readonly projection: PlatformProjection; readonly service: string; readonly rebuilt: Rebuilt | null };

/** The newest rebuild of each projection that the log knows. */
const rebuiltOn = async (log: EventLog): Promise<ReadonlyMap<string, Rebuilt>> => {
  const [beginnings, ends] = await Promise.all([log.admin.beginningOffsets(TOPIC), log.admin.endOffsets(TOPIC)]);
  const ranges = [...ends].map(([partition, to]) => ({ topic: TOPIC, partition, from: beginnings.get(partition) ?? 0n, to }));
  const newest = new Map<string, Rebuilt>();
  await log.read(
    ranges.filter(({ from, to }) => from < to),
    async (records) => {
      for (const { value } of records) {
        // Nearly all are others and need not be parsed.
        if (!value?.includes(`"${TYPE}"`)) continue;
        const decoded = decodeEvent(value);
        if (!('event' in decoded) || !isType(decoded.event, TYPE)) continue;
        const { service, projection, rows, at } = decoded.event.data;
        const name = `${service} ${projection}`;
        if (Date.parse(at) >= Date.parse(newest.get(name)?.at ?? at)) newest.set(name, { at, rows });
      }
    },
  );
  return newest;
};

const list = (io: Io): Promise<Answer> =>
  withLog(io, 'projection', async ({ log }) => {
    const newest = await rebuiltOn(log);
    const listed = names.map((projection): Listed => {
      const service = PlatformProjections[projection];
      return { projection, service, rebuilt: newest.get(`${service} ${projection}`) ?? null };
    });
    return {
      exitCode: DONE,
      json: { projections: listed },
      lines: listed.map(({ projection, service, rebuilt }) => {
        const last = rebuilt ? `filled again at ${rebuilt.at}, ${counted(BigInt(rebuilt.rows), 'row')}` : 'never filled again';
        return `${projection} of ${service}: ${last}`;
      }),
    };
  });

/** What the program of the service said last of its failure: one line of configuration, or the line of its log that ended it. */
const failureOf = ({ exitCode, out, err }: RanService): PlatformError => {
  const message = err.at(-1);
  if (exitCode === EXIT_CONFIGURATION && message !== undefined) return new PlatformError('CONFIGURATION_INVALID', message);
  const { code, message: what } = ServiceFailure.parse(lastLine(out)).err;
  return new PlatformError(code, what ?? `the program of the service ended with ${exitCode}`);
};

const lastLine = (lines: readonly string[]): unknown => {
  try {
    return JSON.parse(lines.at(-1) ?? '');
  } catch {
    return undefined;
  }
};
const Done = z.object({ projection: z.string(), records: z.number(), events: z.number(), rows: z.string() });
const ServiceFailure = z
  .object({ err: z.object({ code: z.enum(ErrorCodes).catch('INTERNAL'), message: z.string().optional() }) })
  .catch({ err: { code: 'INTERNAL' } });

const rebuild = async (io: Io, projection: PlatformProjection): Promise<Answer> => {
  const service = PlatformProjections[projection];
  const ran = await io.runService(service, ['projection', projection]);
  if (!ran)
    throw new PlatformError(
      'UPSTREAM_UNAVAILABLE',
      `the program of ${service} is not installed here; on Kubernetes: kubectl create job --from=cronjob/<release>-projection-${projection} <release>-projection-${projection}-1`,
    );
  if (ran.exitCode !== 0) throw failureOf(ran);
  const done = Done.parse(lastLine(ran.out));
  return {
    exitCode: DONE,
    json: { ...done, service },
    lines: [
      `filled ${projection} of ${service} again from ${counted(done.records, 'record')}: ${counted(BigInt(done.rows), 'row')}`,
    ],
  };
};

/** `ops projection list|rebuild`: views that follow from the log alone. The old one serves until the new one has caught up. */
export const projectionCommand = (io: Io, outcome: Outcome): Command => {
  const command = new Command('projection').description('views that are filled again from the log');
  command.addCommand(operation(io, outcome, 'list', 'which there are, and when each was last filled again', () => list(io)));
  command.addCommand(
    operation(io, outcome, 'rebuild', 'fill a view again beside the one that serves, with the settings of its service', (self) =>
      rebuild(io, self.args[0] as PlatformProjection),
    ).addArgument(new Argument('<projection>', 'which').choices(names)),
  );
  return command;
};
