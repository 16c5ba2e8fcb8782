import { createFileRoute } from '@tanstack/react-router';
import { PoolsPage } from '~/console/PoolsPage';

export const Route = createFileRoute('/console/pools')({
  validateSearch: (search: Record<string, unknown>): { q?: string } =>
    typeof search.q === 'string' ? { q: search.q } : {},
  component: () => <PoolsPage sought={Route.useSearch().q} />,
});
