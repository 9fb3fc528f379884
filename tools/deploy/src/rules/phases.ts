import { nameOf, type Finding, type Manifest } from '../manifests/manifest.js';
import { hooksOf } from './jobs.js';
import { madeBy, referencesOf } from './references.js';

/** When an object is applied: phases and, inside a phase, waves (or weights), smaller first. */
type Moment = { readonly phase: number; readonly wave: number };

const before = (a: Moment, b: Moment): boolean => a.phase < b.phase || (a.phase === b.phase && a.wave < b.wave);

// Argo CD runs hooks of helm as its own: everything "pre" at every sync, before anything else is applied.
const argoPhases: Readonly<Record<string, number>> = {
  'pre-install': 0,
  'pre-upgrade': 0,
  PreSync: 0,
  Sync: 1,
  'post-install': 2,
  'post-upgrade': 2,
  PostSync: 2,
};

/** Hooks that Argo CD does not run. */
const neverInArgo = new Set(['pre-delete', 'pre-rollback', 'post-rollback', 'test', 'test-success', 'Skip']);

const argoMoment = (manifest: Manifest): Moment | undefined => {
  const annotations = manifest.metadata.annotations ?? {};
  const own = (annotations['argocd.argoproj.io/hook'] ?? '').split(',').filter(Boolean);
  // Argo's own annotation wins over helm's.
  const hooks = own.length > 0 ? own : hooksOf(manifest);
  const wave = Number(annotations['argocd.argoproj.io/sync-wave'] ?? annotations['helm.sh/hook-weight'] ?? 0);
  if (hooks.length === 0) return { phase: 1, wave };
  const phases = hooks.flatMap((hook) => argoPhases[hook] ?? []);
  if (phases.length === 0) return hooks.every((hook) => neverInArgo.has(hook)) ? undefined : { phase: 1, wave };
  return { phase: Math.min(...phases), wave };
};

// Helm applies what is no hook at once, in an order of kinds that has accounts, secrets and config maps before workloads.
const helmPhases: Readonly<Record<string, number>> = {
  'pre-install': 0,
  'pre-upgrade': 0,
  'post-install': 2,
  'post-upgrade': 2,
  test: 3,
};

const helmMoment = (manifest: Manifest): Moment | undefined => {
  const hooks = hooksOf(manifest);
  if (hooks.length === 0) return { phase: 1, wave: 0 };
  const phases = hooks.flatMap((hook) => helmPhases[hook] ?? []);
  if (phases.length === 0) return undefined;
  return { phase: Math.min(...phases), wave: Number(manifest.metadata.annotations?.['helm.sh/hook-weight'] ?? 0) };
};

const kindsBeforeWorkloads = new Set(['ServiceAccount', 'Secret', 'ConfigMap', 'PersistentVolumeClaim', 'PriorityClass']);

/** Objects whose pods would wait for ever, because what they refer to is applied later: only what makes pods can hang. */
const orderFindings = (
  manifests: readonly Manifest[],
  momentOf: (manifest: Manifest) => Moment | undefined,
  where: string,
): Finding[] => {
  const made = new Map(
    manifests.flatMap((manifest) => madeBy(manifest).map((one) => [`${one.kind}/${one.name}`, manifest] as const)),
  );
  return referencesOf(manifests).flatMap(({ from, kind, name }) => {
    const target = made.get(`${kind}/${name}`);
    if (!target || !kindsBeforeWorkloads.has(kind)) return [];
    const [mine, its] = [momentOf(from), momentOf(target)];
    if (!mine || !its) return [];
    // In one wave helm and Argo CD both apply these kinds before workloads; a hook waits for nothing of a later phase or wave.
    return before(mine, its) ? [`${where}: ${nameOf(from)} needs ${nameOf(target)}, which is applied later`] : [];
  });
};

export const helmOrderFindings = (manifests: readonly Manifest[]): Finding[] => orderFindings(manifests, helmMoment, 'helm');

export const argoOrderFindings = (manifests: readonly Manifest[]): Finding[] => orderFindings(manifests, argoMoment, 'Argo CD');

/** What Argo CD applies, phase by phase and wave by wave: for tests that state an order. */
export const argoWaves = (
  manifests: readonly Manifest[],
): { readonly phase: number; readonly wave: number; readonly objects: string[] }[] => {
  const groups = new Map<string, { phase: number; wave: number; objects: string[] }>();
  for (const manifest of manifests) {
    const moment = argoMoment(manifest);
    if (!moment) continue;
    const key = `${moment.phase}/${moment.wave}`;
    const group = groups.get(key) ?? { ...moment, objects: [] };
    group.objects.push(nameOf(manifest));
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => a.phase - b.phase || a.wave - b.wave);
};
