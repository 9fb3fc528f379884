import { catalogue } from '../catalogue.js';
import { Topics } from '../define.js';

/** The reference page of all events, in Markdown. */
export const cataloguePage = (): string => {
  const lines = [
    '# Events',
    '',
    'Made from `libs/contracts` by `npm run contracts`; do not edit. Personal fields exist only inside `data.sealed`, as ciphertext under the',
    "subject's key. Id formula: *fact* = keyed hash of the provider's item, *send* = keyed hash of kind, send or media id and attempt, *new* = UUIDv7.",
    '',
  ];
  for (const topic of Topics) {
    lines.push(
      `## \`${topic}\``,
      '',
      '| event | what happened | producer | consumers | key | id | personal (sealed) |',
      '|---|---|---|---|---|---|---|',
    );
    for (const event of catalogue.filter((candidate) => candidate.topic === topic)) {
      const producers = typeof event.producers === 'string' ? event.producers : event.producers.join(', ');
      lines.push(
        `| \`${event.type}\` | ${event.summary} | ${producers} | ${event.consumers.join(', ') || '-'} | ${event.key} | ${event.id} | ${event.personal.join(', ') || '-'} |`,
      );
    }
    lines.push('');
  }
  return lines.join('\n');
};
