import { createFileRoute } from '@tanstack/react-router';
import { UpkeepPage } from '~/console/UpkeepPage';

export const Route = createFileRoute('/console/upkeep')({ component: UpkeepPage });
