import { until } from '@centralita/testing-engines';
import type { Cluster, Version } from './cluster/cluster.js';
import type { Pod } from './cluster/pod.js';
import type { Workload } from './cluster/workloads.js';
import type { Verdicts } from './verdicts.js';

const probe = `const { writeFileSync } = require('node:fs');
const tried = ['/app/x', '/x', '/usr/x', '/var/x', '/etc/x', '/var/lib/centralita/x'].map((path) => {
  try { writeFileSync(path, 'x'); return path + ' WRITTEN'; } catch (error) { return error.code; }
});
let tmp; try { writeFileSync('/tmp/x', 'x'); tmp = 'written'; } catch (error) { tmp = error.code; }
const status = require('node:fs').readFileSync('/proc/self/status', 'utf8');
const of = (name) => new RegExp('^' + name + ':\\\\s*(.*)$', 'm').exec(status)[1];
console.log(JSON.stringify({ tried, tmp, uid: process.getuid(), gid: process.getgid(), capabilities: of('CapEff'), bounding: of('CapBnd'), noNewPrivileges: of('NoNewPrivs'), seccomp: of('Seccomp') }));`;

type Seen = {
  readonly tried: readonly string[];
  readonly tmp: string;
  readonly uid: number;
  readonly gid: number;
  readonly capabilities: string;
  readonly bounding: string;
  readonly noNewPrivileges: string;
  readonly seccomp: string;
};

/** Looks from the inside whether a container is what its security context says. */
export const inspectPod = async (pod: Pod, name: string, verdicts: Verdicts): Promise<void> => {
  const [container] = pod.plan.spec.containers;
  if (!container) return;
  const { code, stdout, stderr } = await pod.exec(container, 'node', '-e', probe);
  if (code !== 0) {
    verdicts.check(`${name} can be looked into`, false, stderr.trim().slice(-300));
    return;
  }
  const seen = JSON.parse(stdout) as Seen;
  verdicts.check(
    `${name}: root is read-only (EROFS) but for /tmp, user 65532, no capability, no new privileges, seccomp`,
    seen.tried.every((answer) => answer === 'EROFS') &&
      seen.tmp === 'written' &&
      seen.uid === 65532 &&
      seen.gid === 65532 &&
      /^0+$/.test(seen.capabilities) &&
      /^0+$/.test(seen.bounding) &&
      seen.noNewPrivileges === '1' &&
      seen.seccomp === '2',
    `${[...new Set(seen.tried)].join(', ')}; /tmp ${seen.tmp}`,
  );
};

const HEALTHY_MS = 2_000;
const TRIES = 3;

/** From the start of the container to the first answer of its liveness probe, with nothing else running; the best of a few. */
export const timeToHealthy = async (
  cluster: Cluster,
  workload: Workload,
  version: Version,
  verdicts: Verdicts,
): Promise<void> => {
  const times: number[] = [];
  while (times.length < TRIES && !times.some((time) => time <= HEALTHY_MS)) {
    const pod = await cluster.start(workload, version);
    times.push(await until(() => pod.healthyMs, { timeoutMs: 60_000, describe: `${workload.name} to be healthy` }));
    await pod.kill();
  }
  verdicts.check(
    `${workload.name} alone is healthy within ${HEALTHY_MS / 1000} s`,
    Math.min(...times) <= HEALTHY_MS,
    times.map((time) => `${(time / 1000).toFixed(2)} s`).join(', '),
  );
};
