import { readFileSync } from 'node:fs';
import { PlatformProcess } from '@centralita/contracts';
import { z } from 'zod';

/** More is a fleet, and its figures belong into Prometheus: a round asks every target within its time. */
const MOST_TARGETS = 64;

const HttpUrl = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/$/, ''));

const Target = z
  .object({
    /** `conversation`, or `conversation/2` for one of several. */
    name: z.string().max(80),
    /** Of the operations port: below it are /metrics and /health/ready. */
    url: HttpUrl,
    /** Of the process's own API, for parked keys; needed where no other setting of the gateway names it (ingest-sender). */
    api: HttpUrl.optional(),
  })
  .transform(({ name, url, api }, context) => {
    const [process, instance = null, ...rest] = name.split('/');
    const known = PlatformProcess.safeParse(process);
    if (known.success && rest.length === 0 && instance !== '') return { name, process: known.data, instance, url, api };
    context.addIssue({ code: 'custom', message: `${name} is no process of ours` });
    return z.NEVER;
  });
export type PlatformTarget = z.infer<typeof Target>;

const Targets = z
  .array(Target)
  .min(1)
  .max(MOST_TARGETS)
  .refine((targets) => new Set(targets.map(({ name }) => name)).size === targets.length, 'a name stands twice');

/** Reads the list of processes whose operations ports are looked at. Throws when it is none. */
export const readTargets = (path: string): readonly PlatformTarget[] => Targets.parse(JSON.parse(readFileSync(path, 'utf8')));
