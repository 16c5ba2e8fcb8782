import { createFileRoute } from '@tanstack/react-router';
import { OverviewPage } from '~/console/OverviewPage';

export const Route = createFileRoute('/console/')({ component: OverviewPage });
