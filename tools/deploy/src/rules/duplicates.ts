import { at, nameOf, type Finding, type Manifest } from '../manifests/manifest.js';
import { containersOf, podsOf } from '../manifests/pods.js';

const repeated = (values: readonly string[]): string[] => [
  ...new Set(values.filter((value, index) => values.indexOf(value) !== index)),
];

type Port = { readonly name?: string; readonly protocol?: string; readonly port?: number; readonly containerPort?: number };

const portFindings = (title: string, ports: readonly Port[]): Finding[] => [
  ...repeated(ports.map((port) => `${port.port ?? port.containerPort}/${port.protocol ?? 'TCP'}`)).map(
    (port) => `${title}: port ${port} twice`,
  ),
  ...repeated(ports.flatMap((port) => (port.name ? [port.name] : []))).map((name) => `${title}: port name ${name} twice`),
];

/** Names that server-side apply, and with it helm 4, refuses when they occur twice: objects, env, ports, volumes, mounts, containers. */
export const duplicateFindings = (manifests: readonly Manifest[]): Finding[] => [
  ...repeated(
    manifests.map(
      (manifest) => `${manifest.apiVersion.replace(/\/.*/, '')} ${manifest.metadata.namespace ?? ''} ${nameOf(manifest)}`,
    ),
  ).map((object) => `${object.split(' ').at(-1)} is rendered twice`),
  ...manifests
    .filter((manifest) => manifest.kind === 'Service')
    .flatMap((service) => portFindings(nameOf(service), (at(service, 'spec', 'ports') ?? []) as Port[])),
  ...podsOf(manifests).flatMap((pods) => {
    const containers = containersOf(pods);
    const owner = nameOf(pods.owner);
    return [
      ...repeated(containers.map(({ container }) => container.name)).map((name) => `${owner}: container ${name} twice`),
      ...repeated((pods.spec.volumes ?? []).map((volume) => volume.name)).map((name) => `${owner}: volume ${name} twice`),
      ...portFindings(
        owner,
        containers.filter(({ init }) => !init).flatMap(({ container }) => container.ports ?? []),
      ),
      ...containers.flatMap(({ container, title }) => [
        ...repeated((container.env ?? []).map((variable) => variable.name)).map((name) => `${title}: env ${name} twice`),
        ...repeated((container.volumeMounts ?? []).map((mount) => mount.mountPath)).map(
          (path) => `${title}: mount ${path} twice`,
        ),
      ]),
    ];
  }),
];
