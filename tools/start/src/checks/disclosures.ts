import { isType, Leaf } from '@centralita/contracts';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Facts } from './facts.js';
import { Contradictions, type Finding } from './finding.js';

/**
 * Check 6. What clients received, what the gateway let through and what the platform recorded are the same set of record ids, and each
 * record is a leaf of the ledger.
 */
export const checkDisclosures = (facts: Facts): Finding => {
  const found = new Contradictions();
  const atClients = facts.day.exchanges.flatMap((exchange) => exchange.accessRecord ?? []);
  found.expect(new Set(atClients).size === atClients.length, 'two responses carry the same record id');
  const atGateway = gatewayRecords(facts.context.folders.logs);
  const records = facts.all('access.events.v1').flatMap(({ event }) => {
    const data = event.data as { recordId: string; outcome: string };
    return [{ recordId: data.recordId, outcome: data.outcome, lane: event.subject }];
  });
  const disclosed = new Set(records.filter((record) => record.outcome === 'disclosed').map((record) => record.recordId));
  found.expectSameSet('disclosures', atClients, 'clients', disclosed, 'the log');
  found.expectSameSet('disclosures', atGateway, 'the gateway', disclosed, 'the log');

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
  const confirmed = recordLeaves.filter(({ leaf }) => leaf.verified === 'confirmed').length;
  return {
    figures: {
      responses: atClients.length,
      records: records.length,
      denied: records.length - disclosed.size,
      leaves: leaves.length,
      confirmedByAssignment: confirmed,
    },
    problems: found.list,
  };
};

/** Record ids that the gateway's log says it has passed on. */
const gatewayRecords = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.startsWith('gateway'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
    .flatMap((line) => /"accessRecord":"([0-9a-f-]{36})"/.exec(line)?.[1] ?? []);
