import { createFileRoute } from '@tanstack/react-router';
import { ModelsPage } from '~/console/ModelsPage';

export const Route = createFileRoute('/console/models')({ component: ModelsPage });
