/** The console's pages: who may open them, and what they are for. */
export type ConsolePage = { to: string; title: string; about: string; house: boolean };
type Group = { title: string; pages: ConsolePage[] };

const page = (to: string, title: string, about: string, house = true): ConsolePage => ({ to, title, about, house });

export const GROUPS: Group[] = [
  {
    title: '',
    pages: [
      page('/console', 'Overview', 'How it is', false),
      page('/console/requests', 'Requests', 'Who asked, what answered, why, and what it cost', false),
    ],
  },
  {
    title: 'Offer',
    pages: [
      page('/console/storefronts', 'Storefronts', 'The public faces'),
      page('/console/models', 'Models', 'Switch them on and off; figures and prices'),
      page('/console/pools', 'Pools', 'Targets, weights and how they are'),
      page('/console/targets', 'Targets', 'Where calls went over time, and what it cost'),
      page('/console/providers', 'Providers', 'Who is called, and with which credentials'),
      page('/console/changes', 'Catalogue changes', 'What providers’ lists say differently'),
    ],
  },
  {
    title: 'Access',
    pages: [
      page('/console/people', 'People', 'Users, roles, workspaces', false),
      page('/console/keys', 'Keys', 'What programs sign in with', false),
      page('/console/policies', 'Policies', 'What narrows who, and what a key sees', false),
      page('/console/budgets', 'Budgets', 'What may be spent', false),
      page('/console/plans', 'Plans & credits', 'Who pays with what', false),
    ],
  },
  {
    title: 'Books',
    pages: [
      page('/console/ledger', 'Ledger', 'Whether everything adds up'),
      page('/console/upkeep', 'Upkeep', 'Backups, what is kept, and long work'),
      page('/console/config', 'Configuration', 'What the gateway runs with'),
      page('/console/audit', 'Audit log', 'What admins did', false),
    ],
  },
];

/** The groups with what somebody may open. */
export function groupsFor(house: boolean): Group[] {
  return GROUPS.map((group) => ({ ...group, pages: group.pages.filter((one) => house || !one.house) })).filter(
    (group) => group.pages.length > 0,
  );
}

export function forHouseAlone(path: string): boolean {
  return GROUPS.some((group) => group.pages.some((one) => one.house && one.to === path.replace(/\/$/, '')));
}
