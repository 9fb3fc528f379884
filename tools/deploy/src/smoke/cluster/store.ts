import { ofKind, type Manifest } from '../../manifests/manifest.js';

export type Data = Readonly<Record<string, string>>;

/** What the API server would hold: rendered objects, and the secrets and claims that the chart expects to be there. */
export class Store {
  constructor(
    readonly manifests: readonly Manifest[],
    private readonly given: (secret: string) => Data | null,
  ) {}

  secret(name: string): Data {
    const rendered = ofKind(this.manifests, 'Secret').find((one) => one.metadata.name === name);
    if (rendered) {
      const decoded = Object.entries(rendered.data ?? {}).map(([key, value]) => [
        key,
        Buffer.from(value, 'base64').toString('utf8'),
      ]);
      return { ...(Object.fromEntries(decoded) as Data), ...rendered.stringData };
    }
    const data = this.given(name);
    if (data === null)
      throw new Error(`a pod wants the secret ${name}, which the chart does not render and the test does not make`);
    return data;
  }

  configMap(name: string): Data {
    const found = ofKind(this.manifests, 'ConfigMap').find((one) => one.metadata.name === name);
    if (!found) throw new Error(`a pod wants the ConfigMap ${name}, which is not rendered`);
    return found.data ?? {};
  }
}
