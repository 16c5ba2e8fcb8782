import { createFileRoute } from '@tanstack/react-router';
import { ConfigPage } from '~/console/ConfigPage';

export const Route = createFileRoute('/console/config')({ component: ConfigPage });
