// Guards that are switched off one at a time. Each edit must find its text exactly once: whoever changes the code moves the mutant along.
const store = 'libs/platform/event-store/src';
const inbox = { tier: 'int', specs: [`${store}/inbox/middleware.int.spec.ts`] };
const appends = { tier: 'int', specs: [`${store}/event-store.int.spec.ts`] };
const relay = { tier: 'int', specs: [`${store}/relay/relay.int.spec.ts`] };
const webhook = {
  tier: 'int',
  specs: ['webhook', 'deliveries', 'quarantine'].map((name) => `apps/ingest/src/receive-webhook/${name}.int.spec.ts`),
};

/** @type {readonly { name: string; tests: { tier: string; specs: string[] }; edits: readonly { file: string; from: string; to: string }[] }[]} */
export const mutants = [
  {
    name: 'the duplicates check by id',
    tests: inbox,
    edits: [
      {
        file: `${store}/inbox/duplicates.ts`,
        from: 'return facts.filter((item) => fresh.has(item.consumed.event.id) && first.get(item.consumed.event.id) === item);',
        to: 'return [...facts];',
      },
      // The first look, which takes a whole batch or nothing.
      { file: `${store}/inbox/take-all.ts`, from: 'if (ids.size < taken.length) return false;', to: '' },
      { file: `${store}/inbox/take-all.ts`, from: ' && !row.parked && Number(row.taken) === ids.size;', to: ' && !row.parked;' },
    ],
  },
  {
    name: 'the watermark by key_version',
    tests: inbox,
    edits: [
      { file: `${store}/inbox/duplicates.ts`, from: 'if (version <= mark.last) {', to: 'if (false) {' },
      {
        file: `${store}/inbox/duplicates.ts`,
        from: 'if (version !== mark.last + 1n && !acceptGaps) {',
        to: 'if (version > mark.last + 1n && !acceptGaps) {',
      },
      // The first look: a hole is still refused, a version that was applied before is not.
      {
        file: `${store}/inbox/take-all.ts`,
        from: 'else if (version !== versions.last + 1n) return null;',
        to: 'else if (version > versions.last + 1n) return null;',
      },
      {
        file: `${store}/inbox/take-all.ts`,
        from: 'where w.last_version = excluded.last_version - cardinality(excluded.recent_ids)',
        to: 'where w.last_version >= excluded.last_version - cardinality(excluded.recent_ids)',
      },
      {
        file: `${store}/inbox/take-all.ts`,
        from: 'Number(row.added) === added.length;',
        to: 'Number(row.added) <= added.length;',
      },
    ],
  },
  {
    name: 'the contiguity of offsets',
    tests: inbox,
    edits: [{ file: `${store}/inbox/positions.ts`, from: 'if (batch.firstOffset > next) throw', to: 'if (false) throw' }],
  },
  {
    name: "the lock of a key's head row",
    tests: appends,
    edits: [
      {
        file: `${store}/schema/append.ts`,
        from: `    select array_agg(key), array_agg(last_version) into head_keys, head_versions from touched;`,
        to: `    select array_agg(key), array_agg(last_version) into head_keys, head_versions from touched;
    select array_agg(k.key), array_agg(k.n + coalesce((select max(e.key_version) from events e
             where e.tenant_id = p_tenant and e.topic = p_topic and e.key = k.key), 0)) into head_keys, head_versions
      from (select key, count(*) as n from unnest(p_keys) as u(key) group by key) as k;`,
      },
      {
        file: `${store}/schema/append.ts`,
        from: `      on conflict (tenant_id, topic, key) do update
        set last_version = h.last_version + excluded.last_version,
            dirty_since = coalesce(h.dirty_since, clock_timestamp())
      returning h.key, h.last_version`,
        to: `      on conflict (tenant_id, topic, key) do nothing
      returning h.key, h.last_version`,
      },
      {
        file: `${store}/schema/append.ts`,
        from: `    update key_head set last_version = last_version + 1, dirty_since = coalesce(dirty_since, clock_timestamp())
      where tenant_id = p_tenant and topic = p_topic and key = p_key returning last_version into in_key;
    if not found then`,
        to: `    select coalesce(max(e.key_version), 0) + 1 into in_key
      from events e where e.tenant_id = p_tenant and e.topic = p_topic and e.key = p_key;
    if in_key = 1 then`,
      },
      {
        file: `${store}/schema/append.ts`,
        from: `      on conflict (tenant_id, topic, key) do update
        set last_version = h.last_version + 1, dirty_since = coalesce(h.dirty_since, clock_timestamp())
      returning h.last_version into in_key;`,
        to: '      on conflict (tenant_id, topic, key) do nothing;',
      },
    ],
  },
  {
    name: 'the fence before sending',
    tests: relay,
    edits: [{ file: `${store}/relay/relay.ts`, from: 'await session.fence();', to: '' }],
  },
  {
    name: 'the event id in relay_published',
    tests: relay,
    edits: [{ file: `${store}/schema/functions.ts`, from: ' and e.event_id = u.id', to: '' }],
  },
  {
    name: 'the verification of signatures',
    tests: webhook,
    edits: [{ file: 'apps/ingest/src/receive-webhook/http.ts', from: 'if (!secret) {', to: 'if (false) {' }],
  },
  {
    name: 'the app in the URL',
    tests: webhook,
    edits: [
      {
        file: 'apps/ingest/src/receive-webhook/http.ts',
        from: "const secret = verifySignature(body, request.headers['x-hub-signature-256'], secretsAt(app, clock()));",
        to: `const secret = this.parts.apps.all().map((one) =>
      verifySignature(body, request.headers['x-hub-signature-256'], secretsAt(one, clock()))).find(Boolean);`,
      },
      {
        file: 'apps/ingest/src/apps.ts',
        from: '  byName(name: string): MetaApp | undefined {',
        to: '  all(): MetaApp[] {\n    return [...this.#byName.values()];\n  }\n\n  byName(name: string): MetaApp | undefined {',
      },
    ],
  },
  {
    name: 'row-level security',
    tests: { tier: 'int', specs: [`${store}/tenancy.int.spec.ts`] },
    edits: [
      {
        file: `${store}/schema/tenant-table.ts`,
        from: `     using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
     with check (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)`,
        to: '     using (true) with check (true)',
      },
    ],
  },
  {
    name: 'the answer that is held back until its access record is committed',
    tests: {
      tier: 'int',
      specs: [
        'libs/platform/nest/src/access/access-recording.int.spec.ts',
        'libs/platform/nest/src/endpoint/endpoint.int.spec.ts',
      ],
    },
    edits: [
      {
        file: 'libs/platform/nest/src/endpoint/interceptor.ts',
        from: "reply.header('x-access-record', await this.recorder.disclosed(route.audited, { ...shown, resource }, caller));",
        to: `void this.recorder.disclosed(route.audited, { ...shown, resource }, caller).catch(() => undefined);
      reply.header('x-access-record', crypto.randomUUID());`,
      },
    ],
  },
  {
    name: 'the encryption of a personal field',
    tests: { tier: 'unit', specs: ['libs/platform/keyring'] },
    edits: [
      {
        file: 'libs/platform/keyring/src/subject-keys.ts',
        from: 'const ct = encrypt(keys.enc, nonce, associated, bytes);',
        to: 'const ct = bytes;',
      },
    ],
  },
  {
    name: 'the check of capacity',
    tests: { tier: 'unit', specs: ['libs/domain/routing'] },
    edits: [
      { file: 'libs/domain/routing/src/select.ts', from: 'if (agent.places.assigned >= agent.capacity)', to: 'if (false)' },
      {
        file: 'libs/domain/routing/src/select.ts',
        from: 'if (agent.places.assigned + agent.places.offered >= agent.capacity)',
        to: 'if (false)',
      },
    ],
  },
  {
    name: 'the epoch of a lease',
    tests: { tier: 'int', specs: [`${store}/event-store.int.spec.ts`, 'apps/routing/src/writer/domain-writer.int.spec.ts'] },
    edits: [
      {
        file: `${store}/schema/append.ts`,
        from: ' and epoch = p_epoch returning last_seq into in_domain',
        to: ' returning last_seq into in_domain',
      },
      { file: `${store}/schema/append.ts`, from: ' and epoch = p_epoch\n', to: '\n' },
      {
        file: 'apps/routing/src/writer/take-inputs.ts',
        from: 'if (!head || toBigInt(head.epoch) !== lease.epoch)',
        to: 'if (!head)',
      },
    ],
  },
  {
    name: 'the attempt on the log before the call',
    tests: {
      tier: 'int',
      specs: ['apps/ingest/src/send-reply/sender.int.spec.ts', 'apps/ingest/src/send-reply/rules.int.spec.ts'],
    },
    edits: [
      {
        file: 'apps/ingest/src/send-reply/dispatcher.ts',
        from: "await this.#append(send, 'whatsapp.reply.attempted.v1', { kind: send.kind, sendBefore: send.sendBefore.toISOString() });",
        to: '',
      },
    ],
  },
];
