import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Facts } from './facts.js';
import { Contradictions, type Finding } from './finding.js';

const BASE64_RUN = /[A-Za-z0-9+/_-]{12,}={0,2}/g;
const LEAST_BYTES = 8;

/**
 * Check 9. No phone number, BSUID, name or text of the day stands in clear in any record of any topic (base64 runs are decoded and looked
 * into as well), in any service's log or in its metrics.
 */
export const checkPrivacy = async (facts: Facts): Promise<Finding> => {
  const found = new Contradictions();
  const canaries = collect(facts);
  let records = 0;
  let runs = 0;
  for (const [topic, list] of facts.records)
    for (const record of list) {
      records += 1;
      const parts = [
        record.key?.toString('utf8') ?? '',
        record.value?.toString('utf8') ?? '',
        ...Object.values(record.headers).map((header) => header.toString('utf8')),
      ].join('\n');
      const decoded = decodedRuns(parts);
      runs += decoded.length;
      const hit = firstHit(canaries, parts) ?? decoded.map((text) => firstHit(canaries, text)).find((one) => one !== undefined);
      found.expect(hit === undefined, `${topic}/${record.partition}/${record.offset} holds ${hit?.kind} in clear`);
    }
  const { logs } = facts.context.folders;
  // The simulator and the identity provider are the world outside; what they say of themselves is not the platform's.
  const files = readdirSync(logs).filter((name) => !/^(simulator|identity|kafka|postgres)/.test(name));
  for (const name of files) {
    const hit = firstHit(canaries, readFileSync(join(logs, name), 'utf8'));
    found.expect(hit === undefined, `the log ${name} holds ${hit?.kind} in clear`);
  }
  for (const [service, url] of Object.entries(facts.context.metricsUrls)) {
    const hit = firstHit(canaries, await (await fetch(url)).text());
    found.expect(hit === undefined, `the metrics of ${service} hold ${hit?.kind} in clear`);
  }
  return {
    figures: {
      canaries: canaries.size,
      records,
      base64Runs: runs,
      logs: files.length,
      metrics: Object.keys(facts.context.metricsUrls).length,
    },
    problems: found.list,
  };
};

type Canary = { readonly kind: string };

/** Strings of at least eight bytes that only a customer's data can contain. Texts count by the word in them that occurs nowhere else. */
const collect = (facts: Facts): Map<string, Canary> => {
  const canaries = new Map<string, Canary>();
  const add = (kind: string, value: string | null): void => {
    if (value !== null && Buffer.byteLength(value) >= LEAST_BYTES) canaries.set(value, { kind });
  };
  for (const customer of facts.day.plan.customers) {
    add('a phone number', customer.phone);
    add('a BSUID', customer.bsuid);
    add('a user name', customer.username);
    for (const word of unique(customer.name)) add('a name', word);
  }
  for (const script of facts.day.plan.scripts)
    for (const burst of script.bursts)
      for (const message of burst.messages) for (const word of unique(message.text)) add('a text', word);
  for (const agent of facts.day.agents) {
    for (const reply of agent.replies) for (const word of unique(reply.text)) add('a reply', word);
    for (const note of agent.notes) for (const word of unique(note)) add('a note', word);
  }
  return canaries;
};

const unique = (text: string): string[] => text.match(/zq\d{12}/g) ?? [];

/** Every canary is a run of digits, a BSUID or a `zq` word: only such runs need a look-up, so a scan costs one pass over the text. */
const CANDIDATES = /zq\d{12}|user\d{10}|[A-Z]{2}\.\d{15,}|\d{8,}/g;

const firstHit = (canaries: ReadonlyMap<string, Canary>, text: string): Canary | undefined => {
  for (const [candidate] of text.matchAll(CANDIDATES)) {
    const exact = canaries.get(candidate);
    if (exact) return exact;
    // A number may stand inside a longer run of digits, or of a BSUID's.
    if (/^\d{12,}$/.test(candidate))
      for (let length = 10; length <= 13; length += 1)
        for (let at = 0; at + length <= candidate.length; at += 1) {
          const inside = canaries.get(candidate.slice(at, at + length));
          if (inside) return inside;
        }
  }
  return undefined;
};

const decodedRuns = (text: string): string[] =>
  [...text.matchAll(BASE64_RUN)].map(([run]) =>
    Buffer.from(run, run.includes('-') || run.includes('_') ? 'base64url' : 'base64').toString('latin1'),
  );
