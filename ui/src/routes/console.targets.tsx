import { createFileRoute } from '@tanstack/react-router';
import { TargetsPage } from '~/console/TargetsPage';

export const Route = createFileRoute('/console/targets')({
  validateSearch: (search: Record<string, unknown>): { pool?: string } =>
    typeof search.pool === 'string' ? { pool: search.pool } : {},
  component: () => <TargetsPage pool={Route.useSearch().pool} />,
});
