import { colors, white } from './colors.js';

const { gray, dark, petrol, amber, red, green, violet } = colors;
type Pair = readonly [light: string | undefined, dark: string | undefined];

/** What a colour is for, in both schemes; components use these (`--ct-*`), never a shade. */
export const roles = {
  page: [white, dark[6]],
  sheet: [gray[0], dark[7]],
  ground: [gray[1], dark[8]],
  ink: [gray[9], dark[0]],
  dim: [gray[6], dark[2]],
  edge: [gray[5], dark[3]],
  hairline: [gray[3], dark[4]],
  link: [petrol[7], petrol[4]],
  button: [petrol[7], petrol[6]],
  'on-button': ['#FFFFFF', '#FFFFFF'],
  selected: [petrol[0], '#13262A'],
  outbound: [petrol[1], '#14363B'],
  note: [violet[1], '#2A2438'],
  'note-edge': [violet[6], violet[4]],
  error: [red[7], red[4]],
  ok: [green[7], green[4]],
  warn: [amber[7], amber[4]],
  'line-track': [gray[3], dark[4]],
  'line-calm': [gray[6], dark[2]],
  'line-soon': [amber[6], amber[4]],
  'line-late': [red[7], red[4]],
  'chip-calm': [gray[2], dark[5]],
  'chip-calm-ink': [gray[7], dark[1]],
  'chip-soon': [amber[1], '#281800'],
  'chip-soon-ink': [amber[8], amber[3]],
  'chip-late': [red[7], red[4]],
  'chip-late-ink': ['#FFFFFF', gray[9]],
  'chip-closed-ink': [gray[6], dark[2]],
  'chip-free': [green[1], '#012014'],
  'chip-free-ink': [green[9], green[2]],
} as const satisfies Record<string, Pair>;
export type RoleName = keyof typeof roles;
