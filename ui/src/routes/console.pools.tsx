import { createFileRoute } from '@tanstack/react-router';
import { PoolsPage } from '~/console/PoolsPage';

export const Route = createFileRoute('/console/pools')({ component: PoolsPage });
