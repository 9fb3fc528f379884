import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { renderText } from '../helm/render.js';
import { charts } from '../repository.js';
import { forbiddenFunctions } from '../rules/templates.js';
import { cases } from './cases.js';

// Each test starts helm, some several times: a quarter of a second on a quiet machine, much more on one that is busy.
jest.setTimeout(60_000);

const templates = ['centralita', 'centralita-deps'].flatMap((chart) =>
  readdirSync(join(charts, chart, 'templates'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name)),
);

describe('what is rendered', () => {
  it.each(['default', 'all on', 'migrations as hook'])('is the same, byte for byte, each time: %s', (name) => {
    const options = cases.find((one) => one.name === name)?.options;
    expect(options).toBeDefined();
    expect(renderText(options)).toBe(renderText(options));
  });

  it('is the same for an installation and an upgrade', () => {
    expect(renderText({ upgrade: true })).toBe(renderText({ upgrade: false }));
  });

  it('comes from no function that looks at a cluster, a clock or chance', () => {
    expect(templates.length).toBeGreaterThan(20);
    expect(
      templates.flatMap((file) => forbiddenFunctions(readFileSync(file, 'utf8')).map((found) => `${file}: ${found}`)),
    ).toEqual([]);
  });
});

describe('forbidden functions', () => {
  it.each([
    ['{{ lookup "v1" "Secret" "a" "b" }}', 'lookup'],
    ['{{- $x := (lookup "v1" "Secret" .Release.Namespace "b") -}}', 'lookup'],
    ['{{ randAlphaNum 32 | b64enc }}', 'randAlphaNum'],
    ['{{ .a | default (randBytes 3) }}', 'randBytes'],
    ['{{ uuidv4 }}', 'uuidv4'],
    ['{{- $ca := genCA "a" 365 }}', 'genCA'],
    ['{{ genSelfSignedCert "a" nil nil 365 }}', 'genSelfSignedCert'],
    ['{{ now | date "2006" }}', 'now'],
    ['{{ htpasswd "a" "b" }}', 'htpasswd'],
    ['{{ env "HOME" }}', 'env'],
    ['{{ shuffle "abc" }}', 'shuffle'],
  ])('are seen: %s', (template, name) => {
    expect(forbiddenFunctions(template)).toEqual([name]);
  });

  it.each([
    '{{/* lookup and now are not used: a render is the same each time */}}',
    'now: {{ .Values.now }}',
    '{{ "lookup" }}',
    '{{ include "centralita.env" . }}',
    '{{ .env }}',
    '{{- range $env := .list }}{{ $env }}{{ end }}',
  ])('are not seen where there are none: %s', (template) => {
    expect(forbiddenFunctions(template)).toEqual([]);
  });
});
