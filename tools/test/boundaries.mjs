// Who may import whom, by Nx tag. One list for the lint run and for the test that proves that the rule is alive.
const only = (...tags) => ({ onlyDependOnLibsWithTags: tags });

export const moduleBoundaries = [
  'error',
  {
    enforceBuildableLibDependency: false,
    allow: [],
    depConstraints: [
      { sourceTag: 'type:contract', ...only('type:nothing-of-ours') },
      { sourceTag: 'type:testing-kit', ...only('type:nothing-of-ours') },
      { sourceTag: 'type:domain', ...only('type:contract', 'type:testing-kit') },
      { sourceTag: 'type:testing', ...only('type:contract', 'type:testing-kit', 'type:tool') },
      { sourceTag: 'type:platform', ...only('type:contract', 'type:platform', 'type:testing-kit', 'type:testing') },
      { sourceTag: 'type:app', ...only('type:contract', 'type:domain', 'type:platform', 'type:testing-kit', 'type:testing') },
      {
        sourceTag: 'type:tool',
        ...only('type:contract', 'type:domain', 'type:platform', 'type:testing-kit', 'type:testing', 'type:tool'),
      },
    ],
  },
];
