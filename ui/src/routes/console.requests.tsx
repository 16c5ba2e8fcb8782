import { createFileRoute } from '@tanstack/react-router';
import { RequestsPage } from '~/console/RequestsPage';

export const Route = createFileRoute('/console/requests')({ component: RequestsPage });
