import type { Role } from '@centralita/contracts';
import { seedId } from './ids.js';

export type SeedNumber = { phoneNumberId: string; displayPhoneNumber: string; name: string };
export type SeedAccount = { wabaId: string; timeZone: string; currency: string; numbers: readonly SeedNumber[] };
export type SeedQueue = {
  queueId: string;
  name: string;
  phoneNumberIds: readonly string[];
  requiredSkills: readonly string[];
  languageSkill: boolean;
  relaxLanguageAfterMs: number | null;
  priority: number;
};
/** A person, by pseudonym. Agents have the definition that routing gets. */
export type SeedUser = {
  id: string;
  username: string;
  label: string;
  roles: readonly Role[];
  agent: { skills: readonly string[]; queueIds: readonly string[]; capacity: number } | null;
};
export type SeedTenant = {
  tenantId: string;
  slug: string;
  name: string;
  /** Name of the Meta app, last part of its webhook address. */
  app: string;
  account: SeedAccount;
  queues: readonly SeedQueue[];
  users: readonly SeedUser[];
};

type AgentSeed = { languages: readonly string[]; skills?: readonly string[]; queues: readonly string[]; capacity: number };

const agent = (slug: string, tenantNumber: number, seed: AgentSeed, number: number): SeedUser => ({
  id: seedId(`${slug}/agent/${number}`),
  username: `${slug}-agent-${number}`,
  label: `Agent ${tenantNumber + number}`,
  roles: ['agent'],
  agent: {
    skills: [...seed.languages.map((language) => `lang:${language}`), ...(seed.skills ?? [])],
    queueIds: seed.queues.map((queue) => seedId(`${slug}/queue/${queue}`)),
    capacity: seed.capacity,
  },
});

const office = (slug: string): SeedUser[] =>
  (
    [
      ['supervisor', 'Supervisor', 'supervisor'],
      ['compliance', 'Compliance officer', 'compliance'],
      ['billing', 'Billing clerk', 'billing'],
      ['platform', 'Platform admin', 'platform'],
    ] as const
  ).map(([name, label, role]) => ({
    id: seedId(`${slug}/${name}`),
    username: `${slug}-${name}`,
    label,
    roles: [role],
    agent: null,
  }));

const queue = (slug: string, name: string, more: Partial<SeedQueue>): SeedQueue => ({
  queueId: seedId(`${slug}/queue/${name}`),
  name,
  phoneNumberIds: [],
  requiredSkills: [],
  languageSkill: true,
  relaxLanguageAfterMs: 4_000,
  priority: 100,
  ...more,
});

const hotelAgents: readonly AgentSeed[] = [
  { languages: ['es', 'en'], queues: ['Reservations', 'Front desk'], capacity: 3 },
  { languages: ['es', 'pt'], queues: ['Reservations', 'Front desk'], capacity: 3 },
  { languages: ['en', 'pt'], queues: ['Reservations'], capacity: 2 },
  { languages: ['es', 'en', 'pt'], queues: ['Front desk'], capacity: 4 },
  { languages: ['es'], queues: ['Front desk'], capacity: 2 },
  { languages: ['en'], queues: ['Reservations', 'Front desk'], capacity: 3 },
  { languages: ['es', 'en', 'pt'], skills: ['groups'], queues: ['Groups and events', 'Reservations'], capacity: 3 },
  { languages: ['pt', 'en'], skills: ['groups'], queues: ['Groups and events'], capacity: 2 },
];

const clinicAgents: readonly AgentSeed[] = [
  { languages: ['pt', 'es'], queues: ['Appointments'], capacity: 3 },
  { languages: ['pt', 'en'], queues: ['Appointments', 'Invoices'], capacity: 3 },
  { languages: ['es', 'en', 'pt'], queues: ['Appointments', 'Invoices'], capacity: 4 },
  { languages: ['pt'], queues: ['Appointments'], capacity: 2 },
];

/** The two tenants of the demonstration: data, not code. Telephone numbers are made up. */
export const tenants: readonly SeedTenant[] = [
  {
    tenantId: seedId('hotel'),
    slug: 'hotel',
    name: 'Hotel group',
    app: 'hotel',
    account: {
      wabaId: '200000000000101',
      timeZone: 'Europe/Madrid',
      currency: 'USD',
      numbers: [
        { phoneNumberId: '300000000000111', displayPhoneNumber: '34900000111', name: 'Reservations' },
        { phoneNumberId: '300000000000112', displayPhoneNumber: '34900000112', name: 'Front desk' },
      ],
    },
    queues: [
      queue('hotel', 'Reservations', { phoneNumberIds: ['300000000000111'] }),
      queue('hotel', 'Front desk', { phoneNumberIds: ['300000000000112'], priority: 200 }),
      // Nothing arrives here by itself: agents transfer to it.
      queue('hotel', 'Groups and events', { requiredSkills: ['groups'], languageSkill: false, relaxLanguageAfterMs: null }),
    ],
    users: [...hotelAgents.map((seed, index) => agent('hotel', 0, seed, index + 1)), ...office('hotel')],
  },
  {
    tenantId: seedId('clinic'),
    slug: 'clinic',
    name: 'Clinic',
    app: 'clinic',
    account: {
      wabaId: '200000000000201',
      timeZone: 'America/Sao_Paulo',
      currency: 'USD',
      numbers: [{ phoneNumberId: '300000000000211', displayPhoneNumber: '551130000211', name: 'Appointments' }],
    },
    queues: [
      queue('clinic', 'Appointments', { phoneNumberIds: ['300000000000211'] }),
      queue('clinic', 'Invoices', { languageSkill: false, relaxLanguageAfterMs: null }),
    ],
    users: [...clinicAgents.map((seed, index) => agent('clinic', hotelAgents.length, seed, index + 1)), ...office('clinic')],
  },
];

/** Every seeded user signs in with this; the provider runs on this machine only and lists it on its own page. */
export const seedPassword = 'centralita';
