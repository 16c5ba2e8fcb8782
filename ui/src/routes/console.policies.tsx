import { createFileRoute } from '@tanstack/react-router';
import { PoliciesPage } from '~/console/PoliciesPage';

export const Route = createFileRoute('/console/policies')({ component: PoliciesPage });
