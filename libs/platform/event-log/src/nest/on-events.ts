import { PlatformError, typesOf, type EventType, type Topic } from '@centralita/contracts';
import { applyDecorators, UseFilters } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import type { OnEventsOptions } from '../event-batch.js';
import { RethrowingFilter } from './rethrowing-filter.js';

const EXTRAS = 'centralita.events';

/**
 * Makes a controller method the one handler of a topic in its group: `(batch: EventBatch) => Promise<void>`, called once per tenant
 * and batch. Every type that may stand on the topic is either handled or ignored on purpose; start fails otherwise, because an
 * event without a handler would be lost without a trace.
 *
 * The decorator brings its own exception filter, which is nearest to the method and so beats any other: Nest's would turn a
 * PlatformError into `Internal server error`, and with the code goes the difference between "again later" and "stop".
 */
export const OnEvents = (topic: Topic, options: OnEventsOptions): MethodDecorator =>
  applyDecorators(EventPattern<string>(topic, { [EXTRAS]: options }), UseFilters(new RethrowingFilter()));

export const optionsOf = (extras: Readonly<Record<string, unknown>> | undefined): OnEventsOptions | undefined =>
  extras?.[EXTRAS] as OnEventsOptions | undefined;

/** Types that a handler of the topic has to say something about, and does not, or says something contradictory about. */
export const complaintsAbout = (topic: Topic, { handles, ignores = [] }: OnEventsOptions): string[] => {
  const known = typesOf(topic);
  const named: readonly EventType[] = [...handles, ...ignores];
  const say = (what: string, types: readonly string[]) => (types.length > 0 ? [`${topic}: ${what}: ${types.join(', ')}`] : []);
  return [
    ...say(
      'neither handled nor ignored',
      known.filter((type) => !named.includes(type)),
    ),
    ...say(
      'not on this topic',
      named.filter((type) => !known.includes(type)),
    ),
    ...say('named more than once', [...new Set(named.filter((type, index) => named.indexOf(type) !== index))]),
  ];
};

export const refuse = (complaints: readonly string[]): void => {
  if (complaints.length > 0)
    throw new PlatformError('CONFIGURATION_INVALID', `event handlers: ${complaints.join('; ')}`, { complaints });
};
