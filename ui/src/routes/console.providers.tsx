import { createFileRoute } from '@tanstack/react-router';
import { ProvidersPage } from '~/console/ProvidersPage';

export const Route = createFileRoute('/console/providers')({ component: ProvidersPage });
