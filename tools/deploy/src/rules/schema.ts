import { at, nameOf, type Finding, type Manifest } from '../manifests/manifest.js';
import { ownSchemaErrors } from './own-schemas.js';

type SchemaError = { readonly instancePath: string; readonly message?: string; readonly keyword?: string };

/** npm packages with the validators of a group; groups without one here are Kubernetes' own, or have a schema of ours. */
const packages: Readonly<Record<string, string>> = {
  'argoproj.io': '@kubernetes-models/argo-cd',
  'cert-manager.io': '@kubernetes-models/cert-manager',
  'postgresql.cnpg.io': '@kubernetes-models/cloudnative-pg',
  'external-secrets.io': '@kubernetes-models/external-secrets',
  'generators.external-secrets.io': '@kubernetes-models/external-secrets',
  'helm.toolkit.fluxcd.io': '@kubernetes-models/flux-cd',
  'source.toolkit.fluxcd.io': '@kubernetes-models/flux-cd',
  'gateway.networking.k8s.io': '@kubernetes-models/gateway-api',
  'keda.sh': '@kubernetes-models/keda',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
};

type Model = new (data: Manifest) => { validate(): void };

const models = new Map<string, Promise<Model | undefined>>();

const modelOf = ({ apiVersion, kind }: Manifest): Promise<Model | undefined> => {
  const group = apiVersion.split('/')[0] ?? '';
  const specifier = `${packages[group] ?? 'kubernetes-models'}/${apiVersion}/${kind}`;
  const known = models.get(specifier);
  if (known) return known;
  const loaded = import(specifier).then(
    (module: Record<string, Model>) => module[kind],
    () => undefined,
  );
  models.set(specifier, loaded);
  return loaded;
};

type Validate = (manifest: Manifest) => readonly SchemaError[];

const validatorOf = async (manifest: Manifest): Promise<Validate | undefined> => {
  const own = ownSchemaErrors(manifest.apiVersion, manifest.kind);
  if (own) return own;
  const model = await modelOf(manifest);
  if (!model) return undefined;
  return (candidate) => {
    try {
      new model(candidate).validate();
      return [];
    } catch (error) {
      const errors = at(error, 'errors');
      if (!Array.isArray(errors)) throw error;
      return errors as SchemaError[];
    }
  };
};

/** Fields whose content a schema leaves open: what is in them belongs to somebody else. */
const openFields: readonly (readonly [kind: string, path: RegExp])[] = [
  ['HelmRelease', /^\/spec\/values\//],
  ['Application', /^\/spec\/source(s\/\d+)?\/helm\/valuesObject\//],
];

const escape = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

const nothingIsThis = (): void => undefined;

/** A copy in which every leaf is a value that no schema accepts, and the paths of those leaves. */
const probe = (value: unknown, path: string, leaves: string[]): unknown => {
  if (Array.isArray(value) && value.length > 0) return value.map((item, index) => probe(item, `${path}/${index}`, leaves));
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, probe(inner, `${path}/${escape(key)}`, leaves)]));
  leaves.push(path);
  return nothingIsThis;
};

/**
 * Fields that the schema does not know. The validators from npm let them pass, and so does an API server that prunes; a misspelt
 * field is then a setting that silently does nothing. A validator visits the fields that it knows: a leaf that may hold anything
 * without an error is one that it does not look at.
 */
const unknownFields = (manifest: Manifest, validate: Validate): string[] => {
  const leaves: string[] = [];
  const probed = probe(manifest, '', leaves) as Manifest;
  const visited = new Set(validate(probed).map((error) => error.instancePath));
  return leaves.filter(
    (leaf) =>
      !['/apiVersion', '/kind'].includes(leaf) &&
      !visited.has(leaf) &&
      !openFields.some(([kind, path]) => kind === manifest.kind && path.test(leaf)),
  );
};

/** What an API server with all the needed custom resources would refuse or ignore of these objects. */
export const schemaFindings = async (manifests: readonly Manifest[]): Promise<Finding[]> => {
  const findings = await Promise.all(
    manifests.map(async (manifest) => {
      const validate = await validatorOf(manifest);
      if (!validate) return [`${nameOf(manifest)}: no schema for ${manifest.apiVersion}`];
      return [
        ...validate(manifest).map(
          (error) => `${nameOf(manifest)}: ${error.instancePath} ${error.message ?? error.keyword ?? ''}`,
        ),
        ...unknownFields(manifest, validate).map((path) => `${nameOf(manifest)}: unknown field ${path}`),
      ];
    }),
  );
  return findings.flat();
};
