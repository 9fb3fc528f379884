// The bill of materials of an image in CycloneDX 1.6: what the lockfile says of the packages that are in it. The same input gives the same
// document: no clock, and the serial number is made of the content.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const nameOf = (path) => path.replace(/^.*node_modules\//, '');
const purlOf = (name, version) => `pkg:npm/${name.replace(/^@/, '%40')}@${encodeURIComponent(version)}`;

/** `sha512-<base64>` of the lockfile as CycloneDX writes it. */
const hashesOf = (integrity) =>
  (integrity ?? '')
    .split(' ')
    .filter(Boolean)
    .map((one) => {
      const [, bits, digest] = /^sha(\d+)-(.+)$/.exec(one);
      return { alg: bits === '1' ? 'SHA-1' : `SHA-${bits}`, content: Buffer.from(digest, 'base64').toString('hex') };
    });

// One identifier is an id of SPDX; anything longer is an expression of them.
const licensesOf = (license) => {
  if (typeof license !== 'string' || license === '') return [];
  if (/\s(AND|OR|WITH)\s|^\(/.test(license)) return [{ expression: license }];
  return /^[A-Za-z0-9.+-]+$/.test(license) ? [{ license: { id: license } }] : [{ license: { name: license } }];
};

const component = (name, version, extra) => ({
  type: 'library',
  'bom-ref': purlOf(name, version),
  ...(name.startsWith('@') ? { group: name.split('/')[0], name: name.split('/')[1] } : { name }),
  version,
  purl: purlOf(name, version),
  ...extra,
});

export const billOfMaterials = ({ root, lock, app, version, license, own, vendor, epoch }) => {
  const manifestOf = (path) => {
    const file = join(root, path, 'package.json');
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  };
  const foreign = [...vendor.keys()].map((path) => {
    const entry = lock[path];
    const declared = entry.license ?? manifestOf(path).license;
    const licenses = licensesOf(typeof declared === 'object' ? declared.type : declared);
    const hashes = hashesOf(entry.integrity);
    return component(entry.name ?? nameOf(path), entry.version, {
      scope: 'required',
      ...(hashes.length > 0 ? { hashes } : {}),
      ...(licenses.length > 0 ? { licenses } : {}),
    });
  });
  const ours = [...own.values()].map((manifest) =>
    component(manifest.name, manifest.version, { scope: 'required', licenses: licensesOf(manifest.license ?? license) }),
  );
  // The same package at the same version can lie at two places; it is one component.
  const unique = new Map([...ours, ...foreign].map((one) => [one['bom-ref'], one]));
  const components = [...unique.values()].sort((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1));
  const image = {
    type: 'container',
    'bom-ref': `centralita/${app}@${version}`,
    name: `centralita/${app}`,
    version,
    licenses: licensesOf(license),
  };
  const edges = new Map();
  const refOf = (path) => purlOf(lock[path].name ?? nameOf(path), lock[path].version);
  for (const [path, needs] of vendor) edges.set(refOf(path), [...(edges.get(refOf(path)) ?? []), ...needs.map(refOf)]);
  const dependencies = [
    { ref: image['bom-ref'], dependsOn: components.map((one) => one['bom-ref']) },
    ...[...edges].sort(([a], [b]) => (a < b ? -1 : 1)).map(([ref, needs]) => ({ ref, dependsOn: [...new Set(needs)].sort() })),
  ];
  const digest = createHash('sha256')
    .update(JSON.stringify([image, components, dependencies]))
    .digest('hex');
  const uuid = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-5${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuid}`,
    version: 1,
    metadata: { timestamp: new Date(epoch * 1000).toISOString(), component: image },
    components,
    dependencies,
  };
};
