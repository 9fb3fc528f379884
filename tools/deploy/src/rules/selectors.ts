import { at, type Manifest } from '../manifests/manifest.js';

export type Labels = Readonly<Record<string, string>>;

type Expression = { readonly key: string; readonly operator: string; readonly values?: readonly string[] };

export type LabelSelector = { readonly matchLabels?: Labels; readonly matchExpressions?: readonly Expression[] };

const expressionHolds = (labels: Labels, { key, operator, values = [] }: Expression): boolean => {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      throw new Error(`a selector cannot use the operator ${operator}`);
  }
};

/** Whether labels match; an empty selector matches everything, as in Kubernetes. */
export const selects = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector, labels: Labels): boolean =>
  Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
  matchExpressions.every((expression) => expressionHolds(labels, expression));

/** The selector of a Service is a plain map, and selects nothing when it is empty. */
export const serviceSelects = (service: Manifest, labels: Labels): boolean => {
  const selector = (at(service, 'spec', 'selector') ?? {}) as Labels;
  return Object.keys(selector).length > 0 && selects({ matchLabels: selector }, labels);
};
