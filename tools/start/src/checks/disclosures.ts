import { isType, Leaf, type AccessRecord } from '@centralita/contracts';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Exchange } from '../day/client.js';
import type { Facts } from './facts.js';
import { Contradictions, groupBy, type Finding } from './finding.js';

/**
 * Check 6. What clients received, what the gateway let through and what the platform recorded are the same set of record ids, and each
 * record is a leaf of the ledger. A record is written before the first byte: when somebody dies then, it stands for an answer that nobody
 * heard, and counts as disclosed. There may be as many of those as the person's requests that failed.
 * Nobody of the day looks without a reason, so of nobody who was shown something may the ledger say so.
 */
export const checkDisclosures = (facts: Facts): Finding => {
  const found = new Contradictions();
  const atClients = facts.day.exchanges.flatMap((exchange) => exchange.accessRecord ?? []);
  found.expect(new Set(atClients).size === atClients.length, 'two responses carry the same record id');
  const atGateway = gatewayRecords(facts.context.folders.logs);
  const records = facts.all('access.events.v1').flatMap(({ event }) => {
    const { recordId, outcome, actor } = event.data as AccessRecord;
    return [{ recordId, outcome, actorId: actor.id }];
  });
  const disclosed = new Map(records.flatMap((record) => (record.outcome === 'disclosed' ? [[record.recordId, record]] : [])));
  const unheard = unheardOf(new Set(atClients), [...disclosed.values()], facts.day.exchanges);
  found.expectSameSet('disclosures', [...atClients, ...unheard], 'clients', disclosed.keys(), 'the log');
  found.expectSameSet('disclosures', [...atGateway, ...unheard], 'the gateway', disclosed.keys(), 'the log');

  const leaves = facts
    .of('audit.sequenced.v1', 'audit.leaf.sequenced.v1')
    .map(({ event }) => ({ event, leaf: Leaf.parse(JSON.parse(event.data.leaf)) }));
  const recordLeaves = leaves.filter(({ leaf }) => leaf.kind === 'record');
  found.expect(
    recordLeaves.length === new Set(recordLeaves.map(({ event }) => event.data.recordId)).size,
    'a record has two leaves',
  );
  found.expectSameSet(
    'records',
    records.map((record) => record.recordId),
    'the log',
    recordLeaves.map(({ event }) => event.data.recordId),
    'the ledger',
  );

  const lanes = new Map<string, number>();
  for (const { event } of facts.all('access.events.v1')) {
    if (
      !isType(event, 'customer.data.accessed.v1') &&
      !event.type.startsWith('customer.data') &&
      !event.type.startsWith('audit.log')
    )
      continue;
    lanes.set(
      `${event.tenantid}/${event.subject}`,
      Math.max(lanes.get(`${event.tenantid}/${event.subject}`) ?? 0, Number(event.keyversion)),
    );
  }
  const numbers = [...lanes.values()].reduce((total, highest) => total + highest, 0);
  found.expect(
    numbers === new Set(facts.all('access.events.v1').map(({ event }) => event.id)).size,
    `the lanes count ${numbers} records: one is missing or doubled`,
  );
  for (const { leaf } of recordLeaves)
    found.expect(
      leaf.outcome !== 'disclosed' || leaf.verified !== 'contradicted',
      `access record ${leaf.recordId} (${leaf.action}) is said to have had no reason`,
    );
  const confirmed = recordLeaves.filter(({ leaf }) => leaf.verified === 'confirmed').length;
  return {
    figures: {
      responses: atClients.length,
      records: records.length,
      denied: records.length - disclosed.size,
      unheard: unheard.length,
      leaves: leaves.length,
      confirmedByAssignment: confirmed,
    },
    problems: found.list,
  };
};

/** Records of answers that reached nobody: for each person at most as many as requests without a good answer. */
const unheardOf = (
  atClients: ReadonlySet<string>,
  disclosed: readonly { readonly recordId: string; readonly actorId: string }[],
  exchanges: readonly Exchange[],
): string[] => {
  const failed = groupBy(
    exchanges.filter(({ status }) => status === 0 || status >= 500),
    ({ actorId }) => actorId,
  );
  const missing = groupBy(
    disclosed.filter(({ recordId }) => !atClients.has(recordId)),
    ({ actorId }) => actorId,
  );
  return [...missing].flatMap(([actorId, records]) =>
    records.slice(0, failed.get(actorId)?.length ?? 0).map(({ recordId }) => recordId),
  );
};

/** Record ids that the gateway's log says it has passed on. */
const gatewayRecords = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.startsWith('gateway'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
    .flatMap((line) => /"accessRecord":"([0-9a-f-]{36})"/.exec(line)?.[1] ?? []);
