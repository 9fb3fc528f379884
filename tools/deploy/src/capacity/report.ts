import { measured } from './measured.js';
import { busyAt, type Plan } from './model.js';

const number = (value: number, digits = 0): string =>
  value.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: digits });

/** Sizes from gigabytes up, in the unit that one would say. */
const size = (gigabytes: number): string =>
  gigabytes >= 1_000 ? `${number(gigabytes / 1_000, 1)} TB` : `${number(gigabytes, 1)} GB`;

const duration = (hours: number): string => (hours >= 48 ? `${number(hours / 24, 1)} days` : `${number(hours, 1)} hours`);

/** What the plan asks people to decide, in sentences. */
export const remarks = (plan: Plan): string[] => {
  const { load, partitions, rebuildHours, postgres } = plan;
  const lines: string[] = [];
  if (partitions === null)
    lines.push(
      'No set of partitions is enough for so many pods: spread tenants over several installations, each with its own Kafka and Postgres.',
    );
  const single = Math.min(1e6 / measured.processes.routing, 1e6 / measured.processes['audit-log']) * load.utilisation;
  if (load.messagesPerSecond > single)
    lines.push(
      `One process at a time writes a routing domain and orders the ledger of a tenant: one tenant alone gets no further than about ${number(single)} messages a second.`,
    );
  if (rebuildHours > 24)
    lines.push(
      `Folding ${load.months} months again takes one process ${duration(rebuildHours)}: plan to restore a copy of the database, and use the rebuild as proof.`,
    );
  if (postgres.cores > 32)
    lines.push(
      'Postgres is beyond one server of 32 cores: give each service a server of its own, then spread tenants over installations.',
    );
  return lines;
};

/** The plan as text for people. */
export const report = (plan: Plan): string => {
  const { load, roles, partitions, kafka, postgres, monthly } = plan;
  const rows = roles.map(
    ({ role, cores, pods, lagThreshold }) =>
      `  ${role.padEnd(14)} ${number(pods).padStart(5)} ${number(cores, 1).padStart(8)}   ${lagThreshold === null ? 'HPA on CPU' : `KEDA at a lag of ${number(lagThreshold)}`}`,
  );
  return [
    `At ${number(load.messagesPerSecond, load.messagesPerSecond < 10 ? 1 : 0)} inbound messages a second (mean ${number(load.meanShare * 100)} % of it), pods at ${number(load.utilisation * 100)} % of a core:`,
    '',
    '  process         pods    cores   scales by',
    ...rows,
    `  ${'gateway'.padEnd(14)} ${'2'.padStart(5)} ${''.padStart(8)}   HPA on CPU; not part of the measurement: it depends on how many people look`,
    `  ${'media'.padEnd(14)} ${'2'.padStart(5)} ${''.padStart(8)}   KEDA; not part of the measurement: it depends on how much media there is`,
    '',
    `  partitions     ${partitions === null ? 'beyond one installation' : `${partitions} for each topic, for good`}`,
    `  Kafka          ${number(kafka.cores, 1)} cores over all brokers, ${number(kafka.megabytesPerSecond, 1)} MB/s in, ${size(kafka.diskGigabytes)} of disk in ${load.months} months (${load.replicationFactor} replicas)`,
    `  Postgres       ${number(postgres.cores, 1)} cores over all servers, ${number(postgres.connections)} connections, ${size(postgres.diskGigabytes)} of disk in ${load.months} months`,
    `  a month        ${number(monthly.messages / 1e6, 1)} million messages, ${number(monthly.records / 1e6, 1)} million records, ${size(monthly.logGigabytes)} on the log, ${size(monthly.databaseGigabytes)} in databases`,
    `  rebuild        billing from the first record, one process: ${duration(plan.rebuildHours)}`,
    ...remarks(plan).map((line) => `\n${line}`),
    '',
    `Computed from docs/performance.md (P2: two cores, half of the messages read and answered; the sum of these costs says ${number(busyAt(measured.wholePath.cores))} messages a second there,`,
    `${number(measured.wholePath.perSecond)} were measured). Other mixes and machines differ: measure yours with \`npm run bench -- P2\` before you buy.`,
  ].join('\n');
};
