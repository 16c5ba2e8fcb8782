import { createFileRoute } from '@tanstack/react-router';
import { ModelsPage } from '~/console/ModelsPage';

export const Route = createFileRoute('/console/models')({
  validateSearch: (search: Record<string, unknown>): { storefront?: string } =>
    typeof search.storefront === 'string' ? { storefront: search.storefront } : {},
  component: () => <ModelsPage storefront={Route.useSearch().storefront} />,
});
