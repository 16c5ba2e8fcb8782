import { createFileRoute } from '@tanstack/react-router';
import { StorefrontsPage } from '~/console/StorefrontsPage';

export const Route = createFileRoute('/console/storefronts')({ component: StorefrontsPage });
