import { createFileRoute } from '@tanstack/react-router';
import { ChangesPage } from '~/console/ChangesPage';

export const Route = createFileRoute('/console/changes')({ component: ChangesPage });
