import { Topics, type Topic } from '@centralita/contracts';
import { topicSpecs } from '@centralita/event-log';
import type { ProcessFacts } from './processes.js';

/** What a principal may do, in the words of a Strimzi KafkaUser, which are those of Kafka. */
type Acl = {
  readonly resource: { readonly type: 'topic' | 'group'; readonly name: string; readonly patternType: 'literal' };
  readonly operations: readonly string[];
};
type User = { readonly name: string; readonly acls: readonly Acl[] };

const topic = (name: Topic, ...operations: string[]): Acl => ({
  resource: { type: 'topic', name, patternType: 'literal' },
  operations,
});
const group = (name: string, ...operations: string[]): Acl => ({
  resource: { type: 'group', name, patternType: 'literal' },
  operations,
});

const sorted = (topics: Iterable<Topic>): Topic[] => [...new Set(topics)].sort();

/**
 * A process reads what it handles. What it writes it may read too: at its start it compares its database with the log, and it asks the
 * topic for the size of its records.
 */
const aclsOf = ({ reads, writes, group: member }: ProcessFacts): Acl[] => [
  ...sorted([...reads, ...writes]).map((name) =>
    topic(name, ...['Describe', 'DescribeConfigs', 'Read', ...(writes.includes(name) ? ['Write'] : [])].sort()),
  ),
  ...(member ? [group(member, 'Describe', 'Read')] : []),
];

/** Those of the Jobs. Who works on the log without a service between leaves an event, under its own name. */
const jobs = (facts: Readonly<Record<string, ProcessFacts>>): User[] => {
  const readAll = (topics: readonly Topic[], written: readonly Topic[]): Acl[] =>
    sorted([...topics, ...written]).map((name) =>
      topic(name, ...['Describe', 'DescribeConfigs', 'Read', ...(written.includes(name) ? ['Write'] : [])].sort()),
    );
  const groups = Object.values(facts).flatMap(({ group: member }) => (member ? [group(member, 'Describe')] : []));
  return [
    {
      name: 'topics',
      acls: [...Topics]
        .sort()
        .map((name) =>
          topic(name, 'Create', 'Describe', 'DescribeConfigs', ...(name === 'operations.events.v1' ? ['Read', 'Write'] : [])),
        ),
    },
    // What these two found out leaves by the outbox of the service whose books they check.
    { name: 'replay', acls: readAll(facts['billing']?.reads ?? [], []) },
    { name: 'verify', acls: readAll([...(facts['audit-log']?.reads ?? []), 'audit.sequenced.v1', 'audit.checkpoints.v1'], []) },
    // So does that a projection was filled again: its Job only reads.
    ...Object.values(facts).flatMap(({ projections = {} }) =>
      Object.entries(projections).map(([name, topics]) => ({ name: `projection-${name}`, acls: readAll(topics, []) })),
    ),
    { name: 'archive', acls: readAll(Topics, ['operations.events.v1']) },
    { name: 'selftest', acls: [...readAll(Topics, ['operations.events.v1']), ...groups] },
  ];
};

/** The topics as data, for those who make them otherwise than by our Job. */
export const topicsFile = (): { topics: { name: string; config: Record<string, string> }[] } => ({
  topics: topicSpecs.map(({ name, config }) => ({ name, config: { ...config } })),
});

/** Principals with what each may do: one per process and Job. */
export const aclsFile = (facts: Readonly<Record<string, ProcessFacts>>): { users: User[] } => ({
  users: [
    ...Object.entries(facts).flatMap(([name, process]) => {
      if (!process.kafka) return [];
      if (name !== 'lag-exporter') return [{ name, acls: aclsOf(process) }];
      const groups = Object.values(facts).flatMap(({ group: member }) => (member ? [group(member, 'Describe')] : []));
      return [
        { name, acls: [...[...Topics].sort().map((each) => topic(each, 'Describe', 'DescribeConfigs', 'Read')), ...groups] },
      ];
    }),
    ...jobs(facts),
  ],
});
