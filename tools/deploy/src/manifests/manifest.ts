import { parseAllDocuments } from 'yaml';

/** An object of the Kubernetes API as a file holds it. */
export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
};

/** What is wrong, in one sentence that names the object. */
export type Finding = string;

const isManifest = (value: unknown): value is Manifest =>
  typeof value === 'object' && value !== null && 'kind' in value && 'apiVersion' in value;

/**
 * All objects of a YAML stream; empty documents are none. Throws for text that is no YAML, for a mapping with one key twice, which
 * server-side apply would refuse, and for documents that are no objects.
 */
export const parseManifests = (text: string): Manifest[] => {
  const documents = parseAllDocuments(text, { uniqueKeys: true });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => {
    if (document.errors.length > 0) throw new Error(`not YAML: ${document.errors.map((error) => error.message).join('; ')}`);
    const value: unknown = document.toJS();
    if (value === null || value === undefined) return [];
    if (!isManifest(value)) throw new Error(`a document is no Kubernetes object: ${JSON.stringify(value).slice(0, 200)}`);
    return [value];
  });
};

/** `Deployment/name`: how findings name an object. */
export const nameOf = (manifest: Manifest): string => `${manifest.kind}/${manifest.metadata.name}`;

export const ofKind = (manifests: readonly Manifest[], ...kinds: string[]): Manifest[] =>
  manifests.filter((manifest) => kinds.includes(manifest.kind));

/** One object. Throws when it is not there, with the names of its kind that are. */
export const theOne = (manifests: readonly Manifest[], kind: string, name: string): Manifest => {
  const all = ofKind(manifests, kind);
  const found = all.find((manifest) => manifest.metadata.name === name);
  if (!found) throw new Error(`no ${kind}/${name}; there are ${all.map((manifest) => manifest.metadata.name).join(', ')}`);
  return found;
};

/** The value at a path of keys, or undefined: rendered objects are not trusted to have any shape before their schema was checked. */
export const at = (value: unknown, ...path: (string | number)[]): unknown =>
  path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? (inner as Record<string | number, unknown>)[key] : undefined),
    value,
  );
